"""The default networks of ``usi3d``: sizes, blending of exemplars, training and decomposing."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from iid_latent.shared.camera import expose
from iid_latent.shared.content import Backbone, Pyramid
from iid_latent.shared.log_images import DARKEST, from_log, log_error, to_log
from iid_latent.usi3d.build import INFERENCE, build
from iid_latent.usi3d.degenerate import require_varied_layers
from iid_latent.usi3d.method import Usi3d
from iid_latent.usi3d.representation import EncodedRepresentation, LogRepresentation
from iid_latent.usi3d.settings import Usi3dConfig, Usi3dOptions
from iid_latent.usi3d.train_default import DefaultTrainer
from intrinsic_cli.api import Runtime, TrainingError
from intrinsic_cli.kit.data.synth.scenes import open_synth
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.networks.checkpoint import state_of

CPU = Runtime(torch.device("cpu"))
SMALL = Usi3dConfig(
    batch_size=2, pairings=2, crop=64, width=8, blocks=1, dis_dim=4, pretrained="no"
)
MIB = 1 << 20


def minimiser(trainer: DefaultTrainer):  # type: ignore[no-untyped-def]  # returns a Minimise
    def minimise(loss: torch.Tensor, name: str) -> None:
        optimizer = trainer.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped
        optimizer.step()

    return minimise


def test_what_is_shipped_is_small() -> None:
    with torch.device("meta"):
        nets = build(Usi3dConfig())
    shipped = sum(p.numel() * 2 for name in INFERENCE for p in nets[name].parameters())
    assert shipped < 6 * MIB


@pytest.mark.parametrize("size", [(16, 16), (48, 80)])
def test_content_is_a_quarter_and_layers_are_half_of_the_photo(size: tuple[int, int]) -> None:
    nets = build(SMALL)
    height, width = size
    (coarse, fine), prior = nets["gen_i"].encode(torch.zeros(2, 3, height, width))
    assert coarse.shape[-2:] == (height // 4, width // 4)
    assert fine.shape[-2:] == (height // 2, width // 2)
    z_r, z_s = nets["fea_s"](prior)
    assert z_r.shape == z_s.shape == prior.shape == (2, 8, 1, 1)
    assert nets["gen_r"].decode((coarse, fine), z_r).shape == (2, 3, height // 2, width // 2)
    assert nets["fea_m"](z_r, z_s).shape == prior.shape


def test_the_prior_changes_the_image() -> None:
    torch.manual_seed(0)
    nets = build(SMALL)
    content, prior = nets["gen_i"].encode(torch.randn(1, 3, 32, 32))
    one, other = nets["gen_r"].decode(content, prior), nets["gen_r"].decode(content, prior + 3)
    assert float((one - other).abs().mean().detach()) > 1e-3


def test_looking_around_widens_what_a_cell_of_content_sees() -> None:
    torch.manual_seed(0)
    maps = Backbone(False)(torch.zeros(1, 3, 128, 128))
    for deep in (0, 16):
        pyramid = Pyramid(8, deep)
        assert pyramid(maps).shape == (1, 8, 32, 32)


def test_logarithms_of_albedo_and_shading_add_up() -> None:
    albedo, shading = torch.rand(1, 3, 8, 8) + 0.1, torch.rand(1, 3, 8, 8) + 0.1
    one = torch.ones(1, 1, 1, 1)
    torch.testing.assert_close(
        to_log(albedo, one) + to_log(shading, one), to_log(albedo * shading, one)
    )
    torch.testing.assert_close(from_log(to_log(albedo, one)), albedo)
    assert float(to_log(torch.zeros(1, 3, 4, 4), one).min()) == pytest.approx(DARKEST)


def test_most_of_a_constant_error_is_forgiven_and_edges_are_not() -> None:
    truth, mask = torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    assert float(log_error(truth + 1, truth, mask)) == pytest.approx(0.15)
    edge = truth.clone()
    edge[..., 8:] = 1
    assert float(log_error(edge, truth, mask)) > 0.5
    assert float(log_error(edge, truth, mask * (edge[:, :1] == 0))) < 0.01


def test_mixtures_are_photos_of_the_product() -> None:
    torch.manual_seed(0)
    albedo, shading = (
        torch.rand(4, 3, 32, 32) * 0.8 + 0.1,
        torch.rand(4, 1, 32, 32).expand(-1, 3, -1, -1) + 0.2,
    )
    photo, mask, gain = expose(albedo * shading, torch.ones(4, 1, 32, 32))
    assert 0 <= float(photo.min()) <= float(photo.max()) <= 1
    ratio = (photo / (albedo * shading))[(mask > 0).expand_as(photo)]
    assert float(ratio.std() / ratio.mean()) < 0.5
    assert float(gain.min()) <= float(ratio.median()) <= float(gain.max())
    assert 0.5 < float(mask.mean()) <= 1
    assert float((photo.amax(1, keepdim=True) * mask).max()) < 0.98, (
        "clipped pixels are not learned from"
    )


def test_both_representations_find_the_truth_faultless() -> None:
    albedo, shading = torch.rand(1, 3, 32, 32) * 0.5 + 0.25, torch.rand(1, 3, 32, 32) * 0.5 + 0.25
    mask = torch.ones(1, 1, 32, 32)
    encoded = EncodedRepresentation()
    made = {"ri": encoded.layer(albedo), "si": encoded.layer(shading)}
    assert float(encoded.physical(encoded.photo(albedo * shading), made, mask)["i"]) < 0.05
    logs = LogRepresentation()
    made = {"ri": logs.layer(albedo), "si": logs.layer(shading)}
    exact = logs.physical(logs.shrink(logs.photo(albedo * shading)), made, logs.mask(mask))["i"]
    assert float(exact) < 0.02
    wrong = logs.physical(logs.shrink(logs.photo(albedo)), made, logs.mask(mask))["i"]
    assert float(wrong) > 10 * float(exact)


def test_a_step_moves_every_net_and_leaves_the_discriminators_to_their_own_update() -> None:
    torch.manual_seed(0)
    trainer = DefaultTrainer(SMALL, open_synth(), CPU)
    before = {
        name: {k: x.clone() for k, x in part.items()}
        for name, part in state_of(trainer.nets).items()
    }
    calls: list[str] = []
    real = minimiser(trainer)

    def minimise(loss: torch.Tensor, name: str) -> None:
        calls.append(name)
        real(loss, name)
        if name == "gen":
            discriminators = trainer.optimizers["dis"].param_groups[0]["params"]
            assert not any(p.requires_grad for p in discriminators), (
                "frozen during the generator step"
            )

    losses = trainer.step(next(iter(trainer.batches("train"))), minimise, 0)
    assert calls == ["dis", "gen"]
    assert {
        "adversarial",
        "image",
        "cycle",
        "physical",
        "prior",
        "content",
        "divergence",
        "compose",
    } <= losses.keys()
    assert all(bool(torch.isfinite(x)) for x in losses.values())
    after = state_of(trainer.nets)
    for name, part in before.items():
        assert any(not torch.equal(x, after[name][k]) for k, x in part.items()), name


def test_terms_of_weight_zero_are_not_even_formed() -> None:
    off = dict.fromkeys(
        ("adversarial", "image", "cycle", "physical", "prior", "content", "divergence"), 0.0
    )
    trainer = DefaultTrainer(Usi3dConfig(**{**_knobs(SMALL), **off}), open_synth(), CPU)
    losses = trainer.step(next(iter(trainer.batches("train"))), minimiser(trainer), 0)
    assert set(losses) == {"compose"}


def test_a_few_steps_learn() -> None:
    torch.manual_seed(0)
    config = Usi3dConfig(
        **{**_knobs(SMALL), "lr": 3e-3, "adversarial": 0.0, "batch_size": 2, "pairings": 2}
    )
    trainer = DefaultTrainer(config, open_synth(), CPU)
    (held,) = islice(trainer.batches("val"), 1)

    def error() -> float:
        torch.manual_seed(1)
        with torch.no_grad():
            return float(trainer.validate(held)["physical"])

    start = error()
    for number, batch in enumerate(islice(trainer.batches("train"), 25)):
        trainer.step(batch, minimiser(trainer), number)
    assert error() < 0.8 * start


def test_collapse_ends_training_with_a_sentence() -> None:
    lively = torch.rand(2, 3, 8, 8)
    require_varied_layers(
        {"albedo": lively, "shading": torch.cat([lively[:1], torch.ones(1, 3, 8, 8)])}
    )
    with pytest.raises(TrainingError, match="shading is one flat colour") as caught:
        require_varied_layers({"albedo": lively, "shading": torch.ones(2, 3, 8, 8)})
    assert "dis_lr" in (caught.value.hint or "")


def test_layers_are_consistent_unless_asked_otherwise() -> None:
    torch.manual_seed(0)
    state = {name: part for name, part in state_of(build(SMALL)).items() if name in INFERENCE}
    photo = torch.rand(1, 3, 48, 64) * 0.9 + 0.05
    exact = Usi3d().decomposer(state, Usi3dOptions(size=48), CPU)
    layers = exact(photo)
    small = resize(photo, (24, 32))
    torch.testing.assert_close(layers["albedo"] * layers["shading"], small, atol=1e-3, rtol=1e-3)
    drawn = Usi3d().decomposer(state, Usi3dOptions(size=48, exact=False), CPU)
    assert drawn.frame.upsample == "resize"
    loose = drawn(photo)
    assert float((loose["albedo"] * loose["shading"] - small).detach().abs().mean()) > 0.02


def test_mirroring_makes_the_answer_symmetric() -> None:
    torch.manual_seed(0)
    state = {name: part for name, part in state_of(build(SMALL)).items() if name in INFERENCE}
    network = Usi3d().decomposer(state, Usi3dOptions(size=32), CPU)
    photo = torch.rand(1, 3, 32, 48)
    one, other = network(photo)["shading"], network(photo.flip(3))["shading"].flip(3)
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def _knobs(config: Usi3dConfig) -> dict[str, object]:
    return {name: getattr(config, name) for name in type(config).__dataclass_fields__}
