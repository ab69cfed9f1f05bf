"""Weights as safetensors: a header of JSON and the bytes of the tensors, which cannot hold code.

The metadata is text by key: ``classes``, ``palette`` and ``versions`` as JSON, and ``cfg``, the
config's text. Written so that the same weights give the same bytes. The format has no checksum:
ours is the metadata's ``sha256``, that of the whole file with zeros in its own place.
"""

import hashlib
import json
import os
import struct
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

from .class_names import classes_of

SUFFIX = '.safetensors'
_JSON = ('classes', 'palette', 'versions')
_BLANK = '0' * 64


def to_bytes(weights: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    """A safetensors file; tensors that share memory are written once each."""
    from safetensors.torch import save
    data = save({name: tensor.detach().cpu().contiguous().clone()
                 for name, tensor in weights.items()}, metadata)
    (size,) = struct.unpack_from('<Q', data)
    header = json.loads(data[8:8 + size])
    # The library writes the metadata in an order that changes from run to run.
    places = sorted(((k, v) for k, v in header.items() if k != '__metadata__'),
                    key=lambda item: (item[1]['data_offsets'], item[0]))
    metadata = {**dict(sorted(metadata.items())), 'sha256': _BLANK}
    text = json.dumps({'__metadata__': metadata, **dict(places)}, separators=(',', ':'),
                      ensure_ascii=False).encode()
    text += b' ' * (-len(text) % 8)  # tensors begin at a multiple of eight
    blank = struct.pack('<Q', len(text)) + text + data[8 + size:]
    return blank.replace(_BLANK.encode(), hashlib.sha256(blank).hexdigest().encode(), 1)


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
    device = map_location if isinstance(map_location, str | torch.device) else 'cpu'
    with safe_open(Path(path), framework='pt', device='cpu') as file:
        metadata = file.metadata() or {}
        _check(path, metadata.pop('sha256', None))
        weights = OrderedDict((name, file.get_tensor(name).to(device)) for name in file.keys())  # noqa: SIM118
    meta = {key: json.loads(text) if key in _JSON else text for key, text in metadata.items()}
    return dict(state_dict=weights, meta=meta)


def _check(path: str | os.PathLike, expected: str | None) -> None:
    """Compare a file with its own hash; files of others have none."""
    if expected is None:
        return
    with open(path, 'rb') as file:
        start = file.read(8)
        header = start + file.read(*struct.unpack('<Q', start))
        digest = hashlib.sha256(header.replace(expected.encode(), _BLANK.encode(), 1))
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        raise ValueError('its checksum is wrong')


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
