"""Training: what each stage learns and hands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from iid_mesh.data.birds import open_birds
from iid_mesh.networks import texture
from iid_mesh.settings import MeshConfig
from iid_mesh.stages import zone_terms
from iid_mesh.stages.fitting import FittingStage
from iid_mesh.stages.photos import Photos, shaken
from iid_mesh.stages.s2 import ConsistentStage
from iid_mesh.template import icosphere
from iid_mesh.trainer import STAGES, trainer_of
from iid_mesh.zone_table import ZoneTable, zones_of
from intrinsic_cli.api import Runtime
from intrinsic_cli.kit.networks.checkpoint import state_of

Grown = tuple[FittingStage, Mapping[str, Tensor]]
CONFIG = MeshConfig(steps=4, s1_steps=4, template_steps=3, batch_size=2, crop=32, pretrained="no")


@pytest.fixture(scope="module", autouse=True)
def _few_sides() -> Iterator[None]:
    """Fewer cameras are searched, or every stage would render hundreds of pictures first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("iid_mesh.camera_search.AZIMUTHS", 8)
        patch.setattr("iid_mesh.camera_search.ELEVATIONS", (0.0,))
        patch.setattr("iid_mesh.camera_search.ROLLS", (0.0,))
        patch.setattr("iid_mesh.zone_search.AZIMUTHS", 8)
        patch.setattr("iid_mesh.zone_search.ELEVATIONS", (0,))
        yield


@pytest.fixture(scope="module")
def grown(_few_sides: None) -> Grown:
    """Stage s1 after a step, and its losses; not to be changed."""
    return trained("s1")


def new_stage(
    name: str, config: MeshConfig = CONFIG, parents: Mapping[str, Any] | None = None
) -> FittingStage:
    torch.manual_seed(0)
    runtime = Runtime(torch.device("cpu"), parents=parents or {})
    return trainer_of(name, config, open_birds(), runtime)


def batch(number: int = 0, parts: bool = True) -> dict[str, Tensor]:
    rows = dict(next(iter(open_birds().batches("train", 2, 32, start=number))))
    if not parts:
        del rows["parts"]
    return rows


def minimise_with(stage: FittingStage) -> Any:
    def minimise(loss: Tensor, name: str) -> None:
        optimizer = stage.optimizers[name]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return minimise


def trained(name: str, steps: int = 1, **more: Any) -> tuple[FittingStage, Mapping[str, Tensor]]:
    stage = new_stage(name, **more)
    stage.setup()
    losses: Mapping[str, Tensor] = {}
    for number in range(steps):
        losses = stage.step(batch(number), minimise_with(stage), number)
    return stage, losses


def test_the_stages_come_in_order_and_are_bounded() -> None:
    assert list(STAGES) == ["s1", "template", "s2", "flow"]
    config = replace(CONFIG, steps=50, s1_steps=7, template_steps=5, flow_steps=9)
    assert [new_stage(name, config).steps for name in STAGES] == [7, 5, 0, 9]


def test_s1_grows_the_template_and_hands_it_to_the_network() -> None:
    stage = new_stage("s1")
    before = stage.mesh.mean_v.clone()
    stage.step(batch(), minimise_with(stage), 0)
    stage.step(batch(1), minimise_with(stage), 1)
    grown = stage.nets["growth"].half_shape().detach()  # type: ignore[operator]
    assert torch.equal(stage.mesh.mean_v, grown)
    assert float((grown - before).abs().max()) > 1e-3
    assert torch.allclose(stage.mesh.template_parts.sum(1), torch.ones(642), atol=1e-4)


def test_shapes_learn_nothing_in_s1(grown: Grown) -> None:
    stage, losses = grown
    assert "deform" not in losses
    assert float(stage.mesh(batch()["photo"]).shape.detach().abs().max()) < 0.05


def test_the_template_stage_collects_parts_and_changes_no_shape_but_its_level(
    grown: Grown,
) -> None:
    first = bent_by(grown[0], 0.0)
    state = {"s1": state_of(first.nets)}
    stage, _ = trained("template", 3, parents=state)
    assert not stage.optimizers
    certain = stage.mesh.template_parts[:, 1:].amax(1)
    assert float(certain.mean()) > 0.5
    turned, grown = stage.mesh.mean_v, first.mesh.mean_v
    assert torch.allclose(turned.norm(dim=1), grown.norm(dim=1), atol=1e-5)
    assert torch.equal(turned[:, 1], grown[:, 1])


def test_shapes_that_are_bent_already_make_the_template(grown: Grown) -> None:
    first = bent_by(grown[0], 0.1)
    stage, _ = trained("template", 2, parents={"s1": state_of(first.nets)})
    semantics = stage.nets["semantics"]
    semantics.up.copy_(torch.tensor([0.0, 0.0, 1.0]))  # type: ignore[operator, union-attr]
    moved = semantics.level() - first.mesh.mean_v  # type: ignore[operator]
    assert torch.allclose(moved[:, 2], torch.full((337,), 0.1), atol=1e-5)
    assert torch.allclose(moved[:, :2], torch.zeros(337, 2), atol=1e-5)


def bent_by(stage: FittingStage, height: float) -> FittingStage:
    """A copy whose network moves all vertices up, whatever it sees."""
    bent = deepcopy(stage)
    layer = bent.mesh.body.shape
    assert isinstance(layer, torch.nn.Linear)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([0.0, 0.0, height]).repeat(337))
    return bent


def test_s2_goes_on_with_the_network_and_keeps_the_template(grown: Grown) -> None:
    first, _ = grown
    parents = {"s1": state_of(first.nets)}
    second, _ = trained("template", parents=parents)
    parents["template"] = state_of(second.nets)
    third = new_stage("s2", parents=parents)
    assert third.mesh.body.features.merge.weight.equal(first.mesh.body.features.merge.weight)  # type: ignore[union-attr]
    third.setup()
    third.step(batch(), minimise_with(third), 0)
    assert torch.equal(third.mesh.mean_v, second.mesh.mean_v)
    assert torch.equal(third.mesh.template_parts, second.mesh.template_parts)


def test_all_terms_of_s2_reach_the_network() -> None:
    config = replace(CONFIG, gan_weight=1.0, part_weight=5.0, flatten_weight=5e-4)
    stage, losses = trained("s2", config=config)
    named = {"mask", "smooth", "deform", "flat", "bend", "camera", "turn", "frame", "cycle", "off"}
    named |= {"texture", "entropy", "vertex", "seen parts", "parts", "gan"}
    assert set(losses) == named
    assert all(torch.isfinite(loss) for loss in losses.values())
    untouched = [name for name, p in stage.mesh.named_parameters() if p.grad is None]
    assert not untouched


def test_zones_teach_cameras_vertices_and_flow_once_they_were_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zone_terms, "_RENEWED", 1)
    stage = new_stage("s2")
    assert isinstance(stage, ConsistentStage)
    stage.setup()
    first = stage.step(batch(), minimise_with(stage), 0)
    assert stage.zones is not None
    assert not stage.zones.ready
    assert stage.zones.table.counts.sum() > 100
    then = stage.step(batch(1), minimise_with(stage), 1)
    assert stage.zones.ready
    assert then.keys() - first.keys() == {"coverage", "zone", "strayed"}
    assert first.keys() - then.keys() == {"cycle", "off", "texture"}
    assert all(torch.isfinite(loss) for loss in then.values())
    assert {"zones.table.counts", "zones.search.zones"} <= named(stage)
    stage.mesh.zero_grad()
    stage.step(batch(2), lambda loss, name: loss.backward(), 2)  # type: ignore[no-untyped-call]
    untouched = [name for name, p in stage.mesh.named_parameters() if p.grad is None]
    assert not untouched


def named(stage: FittingStage) -> set[str]:
    """What a checkpoint keeps of it."""
    kept = set()
    for name, net in stage.nets.items():
        kept |= {f"{name}.{key}" for key in net.state_dict()}
    return kept


def test_where_no_zones_are_told_the_texture_teaches_the_flow() -> None:
    source = open_birds()
    source.offers = source.offers - {"zones"}
    stage = trainer_of("s2", CONFIG, source, Runtime(torch.device("cpu")))
    assert isinstance(stage, ConsistentStage)
    assert stage.zones is None


def test_without_part_maps_silhouettes_must_do() -> None:
    stage = new_stage("s2")
    stage.setup()
    losses = stage.step(batch(parts=False), minimise_with(stage), 0)
    assert "vertex" not in losses
    held = stage.validate(batch(parts=False))
    assert "parts" not in held
    assert torch.isfinite(held["loss"])


def test_truth_is_no_training_signal() -> None:
    """Wrong cameras, vertices and keypoints change nothing."""
    rows = batch()
    lies = {key: torch.rand_like(rows[key]) for key in ("cameras", "vertices", "keypoints")}
    outcomes = []
    for given in (rows, {**rows, **lies}):
        stage = new_stage("s2")
        stage.setup()
        torch.manual_seed(1)
        outcomes.append(stage.step(given, minimise_with(stage), 0))
    assert all(outcomes[0][name].equal(outcomes[1][name]) for name in outcomes[0])


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


def test_the_papers_network_passes_through_stage_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texture, "_CHANNELS", (32, 32, 32, 32, 16, 8))
    stage = new_stage("flow", replace(CONFIG, backbone="paper", crop=64))
    assert stage.steps == 1
    assert not stage.optimizers
    assert stage.step(batch(), minimise_with(stage), 0)["loss"] == 0


@pytest.mark.parametrize("name", STAGES)
def test_validation_and_previews(name: str) -> None:
    stage, _ = trained(name)
    for net in stage.nets.values():
        net.eval()
    with torch.no_grad():
        losses, pictures = stage.validate(batch()), stage.preview(batch())
    assert {"loss", "iou", "degrees"} <= set(losses)
    sizes = {picture.shape[-1] for picture in pictures.values()}
    assert sizes == {32}
    assert ("texture" in pictures) == (name == "s2")


def test_silhouettes_grow_sharper() -> None:
    stage = new_stage("s2")
    assert stage.sigma(0, 100) == pytest.approx(CONFIG.sigma)
    assert stage.sigma(100, 100) == pytest.approx(CONFIG.last_sigma)


def test_the_papers_network_takes_the_template_over(
    grown: Grown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texture, "_CHANNELS", (32, 32, 32, 32, 16, 8))
    first, _ = grown
    config = replace(CONFIG, backbone="paper", crop=64)
    stage = new_stage("s2", config, {"s1": state_of(first.nets)})
    assert torch.equal(stage.mesh.mean_v, first.mesh.mean_v)
    assert len(icosphere().symmetrise(stage.mesh.mean_v)) == 642
