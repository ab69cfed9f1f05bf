"""The table of docs/how-to/export.md: what every method of the zoo exports to, or why it does not.

    python tests/export/export_table.py [--missing] [METHOD ...]

exports the first config of each folder of configs/, at a quarter of its width and with made-up
weights, to each format, for any size and number of images, else for one. Each row goes into the
page once it is known; ``--missing`` goes on where another run was ended. All take a quarter of an
hour.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / 'zoo'))

import torch  # noqa: E402
from observe import set_weights, slim  # noqa: E402
from page import put, table_in  # noqa: E402

from segplug.apis.config import load_config  # noqa: E402
from segplug.apis.exporting import write  # noqa: E402
from segplug.apis.model import Model  # noqa: E402
from segplug.apis.zoo import matching  # noqa: E402
from segplug.errors import SegplugError  # noqa: E402
from segplug.export.settings import SUFFIXES, Settings  # noqa: E402
from segplug.registry import MODELS  # noqa: E402

PAGE = Path(__file__).parents[2] / 'docs' / 'how-to' / 'export.md'
HEAD = ['| method | ONNX | torch-export | TorchScript |', '|---|---|---|---|']
SHAPE = (128, 256)  # large enough for two blocks of ISANet at the smallest size that is tried
REASONS = {'pools over a grid': 'grid', 'depends on the size': 'size',
           'does not give what': 'check', 'fails for an input': 'check',
           'cannot be exported': 'exporter'}


def methods() -> dict[str, Path]:
    """Folder of configs/ -> its first config."""
    found = {}
    for path in matching([]):
        found.setdefault(path.parent.name, path)
    return found


def model_of(path: Path) -> Model:
    """The model of a config at a quarter of its width, with weights by a rule."""
    cfg = load_config(path)
    narrow = slim(cfg.model.to_dict())
    narrow['backbone'] = {key: value for key, value in narrow['backbone'].items()
                          if key not in ('init_cfg', 'pretrained')}
    narrow['pretrained'] = None
    net = MODELS.build(narrow)
    set_weights(net, 'float32')
    for module in net.modules():  # logits of thousands, in a softmax, make much of rounding
        if hasattr(module, 'conv_seg'):
            module.conv_seg.weight.data *= 0.01
    heads = net.decode_head if isinstance(net.decode_head, torch.nn.ModuleList) \
        else [net.decode_head]
    return Model(net.eval(), cfg, [f'class {i}' for i in range(heads[-1].num_classes)])


def row(path: Path) -> list[str]:
    """The cells of a config, one for each format."""
    with tempfile.TemporaryDirectory() as folder:
        return [cell(path, format, Path(folder)) for format in SUFFIXES]


def cell(path: Path, format: str, folder: Path) -> str:
    """'any size'; else 'one size' and why no other; else what the error says."""
    why = attempt(path, format, True, folder)
    if why is None:
        return 'any size'
    print(f'{path.parent.name}, {format}: {why}', file=sys.stderr, flush=True)
    reason = next((word for text, word in REASONS.items() if text in why), why)
    failure = attempt(path, format, False, folder)
    return f'one size: {reason}' if failure is None else failure


def attempt(path: Path, format: str, dynamic: bool, folder: Path) -> str | None:
    """None for an export that gives what the model gives, else its error."""
    settings = Settings(format=format, shape=SHAPE, dynamic=dynamic, batch=dynamic)
    target = folder / f'file{SUFFIXES[format]}'
    try:
        write(model_of(path), settings, target, dict(config=path.name, checkpoint=None))
    except SegplugError as error:
        return str(error)
    finally:
        target.unlink(missing_ok=True)
    return None


def rows_in(page: str) -> dict[str, list[str]]:
    """Method -> the cells of its row."""
    lines = table_in(page, 'exports').splitlines()[len(HEAD):]
    return {name: rest for name, *rest in (line.strip('| ').split(' | ') for line in lines)}


def with_row(page: str, name: str, cells: list[str]) -> str:
    """The page, with this row in its place."""
    known = {**rows_in(page), name: cells}
    lines = [f'| {" | ".join([each, *known[each]])} |' for each in methods() if each in known]
    return put(page, 'exports', '\n'.join([*HEAD, *lines]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('names', nargs='*', metavar='METHOD')
    parser.add_argument('--missing', action='store_true', help='only methods without a row')
    args = parser.parse_args()
    if unknown := set(args.names) - set(methods()):
        parser.error(f'no such method: {", ".join(sorted(unknown))}')
    known = rows_in(PAGE.read_text()) if args.missing else ()
    for name, path in methods().items():
        if name not in known and (not args.names or name in args.names):
            cells = row(path)
            print(name, *cells, sep=' | ', flush=True)
            PAGE.write_text(with_row(PAGE.read_text(), name, cells))


if __name__ == '__main__':
    main()
