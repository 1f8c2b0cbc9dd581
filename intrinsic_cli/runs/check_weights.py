"""Are weights made for the method they are to be used with?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intrinsic_cli import settings, weights
from intrinsic_cli.api import MethodSpec, Runtime, Variant, WeightsError
from intrinsic_cli.registry import open_method


def check_weights(path: Path, spec: MethodSpec, variant: Variant) -> str:
    """WeightsError unless the file is whole and its networks have the names and shapes of the
    method's. Returns its sha256."""
    digest = weights.verify(path)
    import torch

    from intrinsic_cli.kit.networks.checkpoint import load_weights

    state = load_weights(path)[0]
    options: Any = settings.settle(variant.options, {}, ())
    runtime = Runtime(torch.device("cpu"), variant=variant.name)
    try:
        open_method(spec).decomposer(state, options, runtime)
    except WeightsError as error:
        message = f"{path} does not fit {spec.title(variant)}: {error.message}"
        raise WeightsError(message, error.hint) from error
    # Whatever a method stumbles over that was made for other weights.
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        message = f"{path} does not fit {spec.title(variant)}"
        raise WeightsError(message, "were they made for another method or variant?") from error
    return digest


def install_weights(path: Path, spec: MethodSpec, variant: Variant) -> Path:
    """Check the weights, then put them where ``iid`` finds them by name. Returns where."""
    check_weights(path, spec, variant)
    return weights.install(path, spec, variant)
