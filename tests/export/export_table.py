"""The table of docs/how-to/export.md: what every method of the zoo exports to, or why it does not.

    python tests/export/export_table.py [METHOD ...]

exports the first config of each folder of configs/, at a quarter of its width and with made-up
weights, to each format, for any size and number of images, else for one, and writes the rows; with
methods, it prints theirs alone. It takes a quarter of an hour.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / 'zoo'))

import torch  # noqa: E402
from observe import set_weights, slim  # noqa: E402
from page import put  # noqa: E402

from segplug.apis.config import load_config  # noqa: E402
from segplug.apis.exporting import write  # noqa: E402
from segplug.apis.model import Model  # noqa: E402
from segplug.apis.zoo import matching  # noqa: E402
from segplug.errors import SegplugError  # noqa: E402
from segplug.export.settings import SUFFIXES, Settings  # noqa: E402
from segplug.registry import MODELS  # noqa: E402

PAGE = Path(__file__).parents[2] / 'docs' / 'how-to' / 'export.md'
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
    heads = net.decode_head if isinstance(net.decode_head, torch.nn.ModuleList) \
        else [net.decode_head]
    return Model(net.eval(), cfg, [f'class {i}' for i in range(heads[-1].num_classes)])


def cell(path: Path, format: str, folder: Path) -> str:
    """'any size'; else 'one size' and why no other; else what the error says."""
    why = attempt(path, format, True, folder)
    if why is None:
        return 'any size'
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


def row(method: str, path: Path, folder: Path) -> str:
    return f'| {" | ".join([method, *(cell(path, format, folder) for format in SUFFIXES)])} |'


HEAD = ['| method | ONNX | torch-export | TorchScript |', '|---|---|---|---|']


def table(names: list[str] | None = None) -> str:
    """The rows of these methods, all by default."""
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for method, path in methods().items():
            if not names or method in names:
                rows.append(row(method, path, Path(folder)))
                print(rows[-1], file=sys.stderr, flush=True)
    return '\n'.join([*HEAD, *rows])


if __name__ == '__main__':
    if sys.argv[1:]:
        print(table(sys.argv[1:]))
    else:
        PAGE.write_text(put(PAGE.read_text(), 'exports', table()))
