"""How fast the published USI3D network decomposes a picture on a CPU: as published, and as this
plugin runs it.

    python tests/bench/bench_latent.py [--sizes 256 512] [--rounds 5] [--threads 1]

Random weights at full width. Both take turns on the same picture; the best of all rounds counts.
Where other work goes on, CPU seconds are disturbed less than those of the clock."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

Part = Mapping[str, Tensor]
Layers = tuple[Tensor, Tensor]


def published(state: Mapping[str, Part], x: Tensor) -> Layers:
    """Raw reflectance and shading of ``x`` [B,3,H,W], written down from the paper's structure and
    nothing of ours."""
    photo, styles = state["gen_i"], state["fea_s"]
    content = encode_content(photo, x)
    z_r, z_s = perceptron(styles, encode_style(photo, x)).chunk(2, dim=1)
    return decode(state["gen_r"], content, z_r), decode(state["gen_s"], content, z_s)


def convolve(part: Part, name: str, x: Tensor) -> Tensor:
    weight = part[f"{name}.conv.weight"]
    stride = 2 if weight.shape[-1] == 4 else 1
    border = (weight.shape[-1] - stride) // 2
    return F.conv2d(
        F.pad(x, (border,) * 4, mode="reflect"), weight, part[f"{name}.conv.bias"], stride
    )


def encode_content(part: Part, x: Tensor) -> Tensor:
    for i in range(3):
        x = F.relu(F.instance_norm(convolve(part, f"enc_content.model.{i}", x)))
    for block in range(blocks(part)):
        name = f"enc_content.model.3.model.{block}.model"
        y = F.relu(F.instance_norm(convolve(part, f"{name}.0", x)))
        x = x + F.instance_norm(convolve(part, f"{name}.1", y))
    return x


def encode_style(part: Part, x: Tensor) -> Tensor:
    for i in range(5):
        x = F.relu(convolve(part, f"enc_style.model.{i}", x))
    mean = x.mean((2, 3), keepdim=True)
    return F.conv2d(mean, part["enc_style.model.6.weight"], part["enc_style.model.6.bias"]).flatten(
        1
    )


def perceptron(part: Part, x: Tensor) -> Tensor:
    names = sorted(
        key.removesuffix(".weight")
        for key in part
        if key.startswith("mlp.") and key.endswith(".weight")
    )
    for i, name in enumerate(names):
        x = F.linear(x if i == 0 else F.relu(x), part[f"{name}.weight"], part[f"{name}.bias"])
    return x


def decode(part: Part, x: Tensor, style: Tensor) -> Tensor:
    parameters = perceptron(part, style).view(len(x), 2 * blocks(part), 2, x.shape[1], 1, 1)

    def adapt(y: Tensor, layer: int) -> Tensor:
        return F.instance_norm(y) * parameters[:, layer, 1] + parameters[:, layer, 0]

    for block in range(blocks(part)):
        name = f"dec.model.0.model.{block}.model"
        y = F.relu(adapt(convolve(part, f"{name}.0", x), 2 * block))
        x = x + adapt(convolve(part, f"{name}.1", y), 2 * block + 1)
    for i in (2, 4):
        x = convolve(part, f"dec.model.{i}", F.interpolate(x, scale_factor=2))
        x = F.relu(
            layer_norm(x, part[f"dec.model.{i}.norm.gamma"], part[f"dec.model.{i}.norm.beta"])
        )
    return torch.tanh(convolve(part, "dec.model.5", x))


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    flat = x.flatten(1)
    mean, std = (y[:, None, None, None] for y in (flat.mean(1), flat.std(1)))
    return (x - mean) / (std + 1e-5) * gamma[:, None, None] + beta[:, None, None]


def blocks(part: Part) -> int:
    """Residual blocks of the content encoder, and as many of the decoder."""
    return sum(
        key.startswith("enc_content.model.3.") and key.endswith("model.0.conv.weight")
        for key in part
    )


def main() -> None:
    """Time both at every size."""
    args = parse()
    torch.set_num_threads(args.threads)
    from iid_latent.usi3d.original import build
    from iid_latent.usi3d.original.inference import open_networks

    torch.manual_seed(0)
    state = {name: net.state_dict() for name, net in build("MPI").items()}
    ours = open_networks(state, torch.device("cpu"))
    columns = ("published: clock, CPU    ", "ours: clock, CPU", "speed-up", "largest difference")
    print(f"{args.threads} threads ", "  ".join(columns))
    for size in args.sizes:
        x = torch.rand(1, 3, size, size)
        seconds, difference = compare((lambda x: published(state, x), ours), x, args.rounds)
        first, second = seconds
        told = [f"{clock:9.3f} s {cpu:8.3f} s" for clock, cpu in (first, second)]
        print(
            f"{size:4}² {told[0]:>27} {told[1]:>21} {first[0] / second[0]:9.2f} {difference:19.1e}"
        )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[256, 512], help="sides of the pictures"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


@torch.inference_mode()
def compare(
    ways: tuple[Callable[[Tensor], Layers], ...], x: Tensor, rounds: int
) -> tuple[list[tuple[float, float]], float]:
    """Best seconds of each way by the clock and of the CPU, and the largest difference between
    their layers."""
    best, layers = [(float("inf"), float("inf"))] * len(ways), [ways[0](x)] * len(ways)
    for _ in range(rounds):
        for i, way in enumerate(ways):
            clock, cpu = time.perf_counter(), time.process_time()
            layers[i] = way(x)
            clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
            best[i] = min(best[i][0], clock), min(best[i][1], cpu)
    return best, max((a - b).abs().max().item() for a, b in zip(layers[0], layers[1], strict=True))


if __name__ == "__main__":
    main()
