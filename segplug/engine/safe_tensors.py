"""Weights as safetensors: a header of JSON and the bytes of the tensors, which cannot hold code.

The metadata is text by key: ``classes``, ``palette`` and ``versions`` as JSON, and ``cfg``, the
config's text. Written so that the same weights give the same bytes. The format has no checksum:
ours is the metadata's ``sha256``, that of the whole file with zeros in its own place. `segplug
publish` puts the first digits of what is then the file's SHA-256 into its name.
"""

import hashlib
import json
import os
import struct
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

from ..errors import CheckpointError
from .class_names import classes_of
from .pretrained import hash_in_name

SUFFIX = '.safetensors'
_JSON = ('classes', 'palette', 'versions')
_BLANK = '0' * 64


def to_bytes(weights: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    """A safetensors file; tensors that share memory are written once each.

    Raises:
        CheckpointError: A name or a type that the format has not.
    """
    from safetensors.torch import save
    for name, tensor in weights.items():
        if tensor.dtype is torch.complex128 or not _is_text(name):
            raise CheckpointError('These weights cannot be written as safetensors.',
                                  got=f'{name!r}, of type {tensor.dtype}',
                                  expected='names in Unicode, and no complex number of 128 bits')
    metadata = {key: text.encode('utf-8', 'replace').decode() for key, text in metadata.items()}
    data = save({name: tensor.detach().cpu().contiguous().clone()
                 for name, tensor in weights.items()}, metadata)
    (size,) = struct.unpack_from('<Q', data)
    header = json.loads(data[8:8 + size])
    # The library writes the metadata in an order that changes from run to run.
    places = sorted(((k, v) for k, v in header.items() if k != '__metadata__'),
                    key=lambda item: (item[1]['data_offsets'], item[0]))
    # Ours first: what follows may hold zeros, too.
    metadata = {'sha256': _BLANK, **dict(sorted(metadata.items()))}
    text = json.dumps({'__metadata__': metadata, **dict(places)}, separators=(',', ':'),
                      ensure_ascii=False).encode()
    text += b' ' * (-len(text) % 8)  # tensors begin at a multiple of eight
    blank = struct.pack('<Q', len(text)) + text + data[8 + size:]
    return blank.replace(_BLANK.encode(), hashlib.sha256(blank).hexdigest().encode(), 1)


def _is_text(name: str) -> bool:
    return name == name.encode('utf-8', 'replace').decode()


def read(path: str | os.PathLike, map_location=None) -> dict:
    """``{'state_dict': ..., 'meta': ...}`` of a safetensors file, whoever wrote it.

    Args:
        path: The file.
        map_location: A device; anything else that torch.load takes leaves the CPU.

    Raises:
        SafetensorError, ValueError: It is damaged or something else.
        OSError: It cannot be read.
    """
    from safetensors import safe_open
    path = Path(path)
    device = map_location if isinstance(map_location, str | torch.device) else 'cpu'
    with safe_open(path, framework='pt', device='cpu') as file:
        metadata = file.metadata() or {}
        _check(path, metadata.pop('sha256', None))
        weights = OrderedDict((name, file.get_tensor(name).to(device)) for name in file.keys())  # noqa: SIM118
    meta = {key: json.loads(text) if key in _JSON else text for key, text in metadata.items()}
    return dict(state_dict=weights, meta=meta)


def _check(path: Path, expected: str | None) -> None:
    """Compare a file with its own hash, and with the one in its name; files of others have none."""
    if expected is None:
        return
    with open(path, 'rb') as file:
        start = file.read(8)
        header = start + file.read(*struct.unpack('<Q', start))
        blank = hashlib.sha256(header.replace(expected.encode(), _BLANK.encode(), 1))
        whole = hashlib.sha256(header)
        while chunk := file.read(1 << 20):
            blank.update(chunk)
            whole.update(chunk)
    if blank.hexdigest() != expected:
        raise ValueError('its checksum is wrong')
    named = hash_in_name(path.name)
    if named and not whole.hexdigest().startswith(named):
        raise ValueError(f'its name says {named}, its SHA-256 begins with '
                         f'{whole.hexdigest()[:len(named)]}: it was renamed, or is another file')


def metadata_of(checkpoint: dict) -> dict[str, str]:
    """What a published file says beside its weights, from a checkpoint's ``meta``."""
    meta = checkpoint.get('meta') or {}
    said = {**classes_of(checkpoint), 'versions': meta.get('versions')}
    found = {'format': 'pt'}  # as Hugging Face's loaders ask for
    found |= {key: json.dumps(said[key], ensure_ascii=False) for key in _JSON
              if said.get(key) is not None}
    if isinstance(meta.get('cfg'), str):
        found['cfg'] = meta['cfg']
    return found
