"""What zones of photos teach, in stages s2 and flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from iid_mesh.data.bird_sources import open_birds
from iid_mesh.stages import s2
from iid_mesh.stages.fitting import FittingStage
from iid_mesh.stages.photos import Photos, shaken
from iid_mesh.stages.s2 import ConsistentStage
from iid_mesh.trainer import trainer_of
from iid_mesh.zone_table import ZoneTable, zones_of
from intrinsic_cli.api import Runtime

from .little_stages import CONFIG, batch, copied_networks, few_sides, minimise_with, new_stage


@pytest.fixture(scope="module", autouse=True)
def _few_sides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        few_sides(patch)
        copied_networks(patch)
        yield


def test_zones_teach_cameras_vertices_and_flow_once_they_were_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s2, "_RENEWED", 1)
    stage = new_stage("s2")
    assert isinstance(stage, ConsistentStage)
    stage.setup()
    first = stage.step(batch(), minimise_with(stage), 0)
    assert not stage.by_zones
    assert {"seen zones", "turn", "cycle"} <= first.keys()
    assert float(named(stage)["zones.counts"].sum()) > 100
    then = stage.step(batch(1), minimise_with(stage), 1)
    assert stage.by_zones
    assert then.keys() - first.keys() == {"coverage", "zone", "strayed"}
    assert first.keys() - then.keys() == {"cycle", "off", "texture", "camera", "turn", "entropy"}
    assert all(torch.isfinite(loss) for loss in then.values())
    assert named(stage)["mesh.search.areas"].any(), "weights know the template's zones"


@pytest.mark.parametrize("recount", [True, False])
def test_what_is_known_of_the_template_from_all_sides_can_stay(
    recount: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s2, "_RENEWED", 1)
    stage = new_stage("s2", replace(CONFIG, recount=recount))
    stage.setup()
    known = torch.rand(642, 17).softmax(1)
    stage.mesh.search.look_at(stage.mesh.vertices(torch.zeros(1, 337, 3))[0], known)
    before = stage.mesh.search.areas.clone()
    stage.step(batch(), minimise_with(stage), 1)
    assert stage.mesh.search.areas.equal(before) != recount


def test_flow_waits_where_it_weighs_nothing_and_a_frozen_encoder_stays() -> None:
    still = {"coverage_weight": 0.0, "zone_weight": 0.0, "stray_weight": 0.0, "encoder_lr": 0.0}
    stage = new_stage("s2", replace(CONFIG, **still))
    stage.setup()
    before = {name: x.clone() for name, x in stage.mesh.named_parameters()}
    losses = stage.step(batch(), minimise_with(stage), 0)
    assert not {"coverage", "cycle"} & losses.keys()
    after = dict(stage.mesh.named_parameters())
    changed = {name for name in before if not before[name].equal(after[name])}
    assert any(name.startswith("zone_head.") for name in changed)
    assert any(name.startswith("body.shape.") for name in changed)
    quiet = ("body.encoder.", "body.matching.")
    assert not [name for name in changed if name.startswith(quiet)]


def named(stage: FittingStage) -> dict[str, Tensor]:
    """What a checkpoint keeps of it."""
    kept: dict[str, Tensor] = {}
    for name, net in stage.nets.items():
        kept |= {f"{name}.{key}": x for key, x in net.state_dict().items()}
    return kept


def test_where_no_zones_are_told_the_texture_teaches_the_flow() -> None:
    source = open_birds()
    source.offers = source.offers - {"zones"}
    stage = trainer_of("s2", CONFIG, source, Runtime(torch.device("cpu")))
    assert isinstance(stage, ConsistentStage)
    assert stage.zones is None
    assert stage.mesh.zone_head is None


def test_stage_flow_teaches_matching_alone() -> None:
    stage = new_stage("flow")
    stage.setup()
    before = {name: x.clone() for name, x in stage.mesh.state_dict().items()}
    losses = stage.step(batch(), minimise_with(stage), 0)
    assert set(losses) == {"coverage", "zone", "strayed"}
    changed = {name for name, x in stage.mesh.state_dict().items() if not x.equal(before[name])}
    assert changed
    assert all(name.startswith("body.matching.") for name in changed)


def test_stage_flow_knows_no_zones_where_nobody_tells_them() -> None:
    """One zone, all of the object, is left."""
    assert zones_of(open_birds()) == 17
    assert Photos.of(batch()).zones.shape[1] == 18
    rows = {key: batch()[key] for key in ("photo", "mask")}
    assert Photos.of(rows).zones.sum(1).allclose(torch.ones(2, 32, 32))


def test_small_zones_have_vertices_of_their_own() -> None:
    table = ZoneTable(2)
    counts = torch.zeros(642, 2)
    counts[:, 0], counts[0, 1] = 100.0, 60.0
    table.count(counts)
    assert table.shares()[0].argmax() == 1, "seen more often as the large zone"
    assert table.shares()[1:, 0].min() > 0.9


def test_photos_are_shaken_with_their_maps() -> None:
    torch.manual_seed(3)
    photos = Photos.of(batch())
    moved = shaken(photos)
    assert not moved.mask.equal(photos.mask)
    inside = moved.zones[:, 1:].sum(1, keepdim=True)
    assert inside.allclose(moved.mask, atol=1e-4)
    assert ((moved.mask > 0.5) != (photos.mask > 0.5)).float().mean() < 0.2


def test_photos_are_shaken_into_other_light() -> None:
    """Lighter at one side than at another, each photo in its own way."""
    torch.manual_seed(3)
    even = torch.full((2, 3, 32, 32), 0.5)
    whole = torch.ones(2, 1, 32, 32)
    first, second = shaken(Photos(even, whole, whole, whole)).photo
    assert first.amax((1, 2)).gt(first.amin((1, 2)) + 0.05).all()
    assert (first - second).abs().max() > 0.05
