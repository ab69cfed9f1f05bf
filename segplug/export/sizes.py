"""What in a graph holds for one size of images only.

`torch.export` records the sizes of a graph as symbols, and each time that Python made a number of
one or branched on one it keeps a guard. A graph in ONNX has no guards: it would compute something
else without a word. So they are asked here, for many sizes, before a file is written.
"""

import copy
from collections.abc import Callable, Iterable

import torch

from ..errors import ConfigError
from .settings import Settings

_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
_ADAPTIVE = ('adaptive_avg_pool', 'adaptive_max_pool')


def adaptive_pools(program) -> list[str]:
    """The module of each adaptive pooling in an exported program that gives more than one cell.

    Whether the model wrote it as a module or as a function makes no difference.
    """
    found = []
    for node in program.graph.nodes:
        if node.op == 'call_function' and any(name in str(node.target) for name in _ADAPTIVE):
            cells = node.args[1]
            if any(cell != 1 for cell in (cells if isinstance(cells, list | tuple) else [cells])):
                found.append(_module_of(node))
    return list(dict.fromkeys(found))


def _module_of(node) -> str:
    """'decode_head.psp_modules.1.0', of the graph's own module `net`."""
    stack = list((node.meta.get('nn_module_stack') or {}).values())
    name = stack[-1][0] if stack else ''
    return name.removeprefix("L['self'].").removeprefix('net.') or 'the network'


def refuse_adaptive_pools(program, settings: Settings) -> None:
    """Raise a ConfigError where ONNX would pool over the windows of one size at every size."""
    if settings.dynamic and (pools := adaptive_pools(program)):
        raise ConfigError(
            'This model cannot be exported to ONNX for images of any size: it pools over a grid '
            'of cells, and ONNX, which has no such operator, would keep the windows of one size '
            'and give wrong values at every other.',
            got=', '.join(pools[:4]) + (' ...' if len(pools) > 4 else ''), culprit='dynamic',
            fix='leave --dynamic away and give --shape H W; or take --format torch-export or '
                'torchscript, which have the operator')


def broken_guard(program, settings: Settings, sizes: Iterable[tuple[int, int]],
                 batches: Iterable[int], channels: int) -> tuple[tuple[int, int, int], str] | None:
    """((N, H, W), the guard) of the first input that a graph is not for, or None."""
    guards = getattr(program.module(), '_guards_fn', None)
    if guards is None:  # older torch; the comparison with the model has to find it
        return None
    dtype = torch.uint8 if settings.with_preprocess else torch.float32
    for batch in batches:
        for height, width in sizes:
            shape = [batch, channels, channels, channels]
            shape[settings.spatial[0]], shape[settings.spatial[1]] = height, width
            try:
                guards(torch.empty(shape, dtype=dtype, device='meta'))
            except AssertionError as error:
                return (batch, height, width), str(error).removeprefix('Guard failed: ')
    return None


def neighbours(shape: tuple[int, int], multiple: int = 1) -> list[tuple[int, int]]:
    """Sizes from three fifths to twice ``shape``, of every remainder, in multiples."""
    found = []
    for i in range(24):
        factor = 0.6 + 1.4 * i / 23
        found.append(tuple(max(int(side * factor) + offset, 1) for side, offset in
                           zip(shape, (i * 5 % 16, i * 7 % 16), strict=True)))
    return [tuple(-(-side // multiple) * multiple for side in size) for size in found]


def multiple_for(net: torch.nn.Module, shape: tuple[int, int], channels: int,
                 padded: Callable[[tuple[int, int]], tuple[int, int]]) -> int:
    """What both sides of an image have to be a multiple of.

    It is tried on torch's meta device, which knows shapes and computes nothing.

    Args:
        net: The segmentor.
        shape: (H, W) that it takes.
        channels: C.
        padded: (H, W) of an image -> that of the network's input.

    Raises:
        ConfigError: It takes no other sizes.
    """
    probe = copy.deepcopy(net).to('meta')

    def takes(size: tuple[int, int]) -> bool:
        size = padded(size)
        metas = [dict(ori_shape=size, img_shape=size, pad_shape=size)]
        try:
            with torch.no_grad():
                probe.encode_decode(torch.empty(1, channels, *size, device='meta'), metas)
        except Exception:  # whatever a network raises, it does not take the size
            return False
        return True

    if not takes(shape):  # it computes with values, which the meta device has not
        return 1
    for multiple in _MULTIPLES:
        if all(takes(size) for size in neighbours(shape, multiple)):
            return multiple
    raise ConfigError('The network does not take images of any size.', culprit='dynamic',
                      got=f'it takes {shape[0]}x{shape[1]}, and not every larger or smaller one '
                          f'in steps of {_MULTIPLES[-1]} pixels', fix='leave --dynamic away')
