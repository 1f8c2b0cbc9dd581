"""Protocols: which photos, masks, scales and metrics make up a published (or our own) table.

Every number ``iid`` prints names its protocol; numbers of different protocols do not belong in one
column. A protocol is an :class:`intrinsic_cli.api.Protocol`; ``iid_protocols`` brings those of a
plugin. Stable for plugins: ``scoring`` (scores of one case), ``planes``, ``baselines``, and the
pools of ``normals`` and ``barron``."""
