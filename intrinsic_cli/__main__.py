"""``python -m intrinsic_cli`` runs the ``iid`` command."""

from intrinsic_cli.cli import main

if __name__ == "__main__":
    main()
