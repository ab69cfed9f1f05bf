"""Weights by name, address or file: found, downloaded once, checked, cached.

mmengine asks torchvision for its names and checks nothing; here the addresses stand in one
table. The publishers put the first digits of a file's SHA-256 into its name.
"""

import hashlib
import http.client
import json
import os
import re
import sys
import urllib.request
from pathlib import Path
from urllib.parse import unquote

import mmengine
import torch
from filelock import FileLock

from ..errors import CheckpointError, did_you_mean

_TORCHVISION = 'https://download.pytorch.org/models/'
_TIMM = 'https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/'
_OPENMMLAB = 'https://download.openmmlab.com/pretrain/third_party/'

TABLE: dict[str, str] = {
    'torchvision://resnet18': _TORCHVISION + 'resnet18-f37072fd.pth',
    'torchvision://resnet34': _TORCHVISION + 'resnet34-b627a593.pth',
    'torchvision://resnet50': _TORCHVISION + 'resnet50-0676ba61.pth',
    'torchvision://resnet101': _TORCHVISION + 'resnet101-63fe2227.pth',
    'torchvision://resnet152': _TORCHVISION + 'resnet152-394f9c45.pth',
    'torchvision://densenet121': _TORCHVISION + 'densenet121-a639ec97.pth',
    'torchvision://densenet161': _TORCHVISION + 'densenet161-8d451a50.pth',
    'torchvision://densenet169': _TORCHVISION + 'densenet169-b2777c0a.pth',
    'torchvision://densenet201': _TORCHVISION + 'densenet201-c1103571.pth',
    'torchvision://vgg11': _TORCHVISION + 'vgg11-8a719046.pth',
    'torchvision://vgg11_bn': _TORCHVISION + 'vgg11_bn-6002323d.pth',
    'torchvision://vgg13': _TORCHVISION + 'vgg13-19584684.pth',
    'torchvision://vgg13_bn': _TORCHVISION + 'vgg13_bn-abd245e5.pth',
    'torchvision://vgg16': _TORCHVISION + 'vgg16-397923af.pth',
    'torchvision://vgg16_bn': _TORCHVISION + 'vgg16_bn-6c64b313.pth',
    'torchvision://vgg19': _TORCHVISION + 'vgg19-dcbb9e9d.pth',
    'torchvision://vgg19_bn': _TORCHVISION + 'vgg19_bn-c79401a0.pth',
    'torchvision://fcn_resnet50_coco': _TORCHVISION + 'fcn_resnet50_coco-1167a1af.pth',
    'torchvision://fcn_resnet101_coco': _TORCHVISION + 'fcn_resnet101_coco-7ecb50ca.pth',
    'timm://resnet18d': _TIMM + 'resnet18d_ra2-48a79e06.pth',
    'timm://resnet34d': _TIMM + 'resnet34d_ra2-f8dcfcaf.pth',
    'timm://resnet50d': _TIMM + 'resnet50d_ra2-464e36ba.pth',
    'timm://resnet101d': _TIMM + 'resnet101d_ra2-2803ffab.pth',
    'timm://legacy_senet154': _TIMM + 'legacy_senet154-e9eb9fe6.pth',
    'timm://legacy_seresnext50_32x4d': _TIMM + 'legacy_se_resnext50_32x4d-f3651bad.pth',
    'timm://legacy_seresnext101_32x4d': _TIMM + 'legacy_se_resnext101_32x4d-37725eac.pth',
    'open-mmlab://resnet18_v1c': _OPENMMLAB + 'resnet18_v1c-b5776b93.pth',
    'open-mmlab://resnet50_v1c': _OPENMMLAB + 'resnet50_v1c-2cccc1ad.pth',
    'open-mmlab://resnet101_v1c': _OPENMMLAB + 'resnet101_v1c-e67eebb6.pth',
}
_ALIASES = {'modelzoo://': 'torchvision://', 'openmmlab://': 'open-mmlab://'}
# mmengine ships the addresses of the names that are not in our table.
_UPSTREAM_TABLES = {'torchvision://': 'torchvision_0.12.json', 'open-mmlab://': 'openmmlab.json',
                    'mmcls://': 'mmcls.json'}
SCHEMES = (*_UPSTREAM_TABLES, *_ALIASES, 'timm://')


def resolve_source(source: str | os.PathLike) -> Path:
    """The local file behind a path, an http(s) address or a name such as torchvision://resnet50.

    Raises:
        CheckpointError: The file is missing, the name unknown, the download impossible or
            its hash wrong.
    """
    source = str(source)
    if source.startswith(('http://', 'https://')):
        return fetch(source)
    if source.startswith(SCHEMES):
        return fetch(address_of(source))
    scheme = source.partition('://')[0] if '://' in source else ''
    if scheme not in ('', 'file'):
        known = [*SCHEMES, 'https://', 'http://', 'file://']
        raise CheckpointError(f'{source} begins with a scheme that is not known.', culprit=source,
                              got=f'{scheme}://', expected=f'a path, or one of {", ".join(known)}',
                              fix=did_you_mean(f'{scheme}://', known))
    path = Path(source.removeprefix('file://')).expanduser()
    if scheme and not path.exists():
        path = Path(unquote(str(path)))
    if not path.is_file():
        folder = 'it is a folder' if path.is_dir() else 'there is no such file'
        raise CheckpointError(f'The checkpoint {path} cannot be loaded: {folder}.',
                              culprit=source, fix=_files_beside(path))
    return path


def _files_beside(path: Path) -> str | None:
    folder = path if path.is_dir() else path.parent
    kinds = ('.pth', '.pt', '.ckpt', '.safetensors')
    found = sorted(p.name for p in folder.iterdir() if p.suffix in kinds)[:8] \
        if folder.is_dir() else []
    return f'{folder} holds {", ".join(found)}' if found else None


def address_of(name: str) -> str:
    """The address of a published name; ours first, then mmengine's table."""
    for alias, scheme in _ALIASES.items():
        name = name.replace(alias, scheme, 1) if name.startswith(alias) else name
    if name in TABLE:
        return TABLE[name]
    scheme, _, key = name.partition('://')
    file = Path(mmengine.__file__).parent / 'hub' / _UPSTREAM_TABLES.get(scheme + '://', '-')
    upstream = json.loads(file.read_text()) if file.is_file() else {}
    address = upstream.get(key, '')
    if address.startswith(('http://', 'https://')):
        return address
    known = [*TABLE, *(f'{scheme}://{k}' for k in upstream)]
    same = [one for one in known if one.startswith(f'{scheme}://')][:30] or [*TABLE]
    raise CheckpointError(f'{name!r} is not a known name of pretrained weights.', culprit=name,
                          expected=f'one of {", ".join(same)}, a path, or an address',
                          fix=did_you_mean(name, known))


def cache_dir() -> Path:
    """Where downloads lie: SEGPLUG_CACHE, else torch.hub's folder, which others fill too."""
    chosen = os.environ.get('SEGPLUG_CACHE')
    return Path(chosen).expanduser() if chosen else Path(torch.hub.get_dir()) / 'checkpoints'


def cache_file(address: str) -> Path:
    """Where the file of an address is kept.

    One whose name holds its hash lies where torch.hub puts it; of others there are many of one
    name (``pytorch_model.bin``), so each address has a folder of its own.

    Raises:
        CheckpointError: The address names no file.
    """
    name = address.split('://', 1)[1].split('?')[0].split('#')[0].partition('/')[2].rsplit('/')[-1]
    if name in ('', '.', '..') or '\\' in name:
        raise CheckpointError(f'The address {address} names no file.', culprit=address,
                              expected='https://.../NAME.pth')
    folder = cache_dir()
    if hash_in_name(name) is None:
        folder /= hashlib.sha256(address.encode()).hexdigest()[:16]
    return folder / name


def fetch(address: str) -> Path:
    """The cached file of ``address``, downloaded if need be, its hash checked every time.

    Several processes may ask at once; one downloads, the others wait for it.
    """
    path = cache_file(address)
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f'.{path.name}.lock')):
                if not path.is_file():
                    _download(address, path)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CheckpointError(
                f'The weights {address} could not be downloaded ({_reason(error)}).',
                culprit=address, fix=f'download {address} on any machine and put it at {path}, '
                'or name the folder that holds it in SEGPLUG_CACHE') from error
    check_hash(path)
    return path


def _reason(error: Exception) -> str:
    return str(getattr(error, 'reason', None) or error) or type(error).__name__


def _download(address: str, path: Path) -> None:
    partial = path.with_name(f'{path.name}.part')
    request = urllib.request.Request(address, headers={'User-Agent': 'segplug'})
    try:
        with urllib.request.urlopen(request, timeout=30) as response, open(partial, 'wb') as file:
            size, done = int(response.headers.get('Content-Length') or 0), 0
            while chunk := response.read(1 << 20):
                file.write(chunk)
                done += len(chunk)
                _show_progress(path.name, done, size)
        if size and done != size:
            raise OSError(f'the connection ended after {done} of {size} bytes')
        check_hash(partial, path.name)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _show_progress(name: str, done: int, size: int) -> None:
    if sys.stderr.isatty() or done == size:
        end = '\n' if done == size else ''
        total = f' of {size / 1e6:.1f}' if size else ''
        print(f'\rdownloading {name}: {done / 1e6:.1f}{total} MB', end=end, file=sys.stderr,
              flush=True)


_DATE = re.compile(r'(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])')


def hash_in_name(name: str) -> str | None:
    """The first digits of a SHA-256 that end a file's name: 'f37072fd' of resnet18-f37072fd.pth."""
    match = re.search(r'-([0-9a-f]{8,64})\.\w+$', name)
    return match[1] if match and not _DATE.fullmatch(match[1]) else None


def check_hash(path: Path, name: str | None = None) -> None:
    """Compare the file with the hash digits in its (final) name, if there are any."""
    expected = hash_in_name(name or path.name)
    if expected is None:
        return
    with open(path, 'rb') as file:
        digest = hashlib.file_digest(file, 'sha256') if hasattr(hashlib, 'file_digest') else \
            hashlib.sha256(file.read())
    if not digest.hexdigest().startswith(expected):
        raise CheckpointError(
            f'{path} is not what its publisher made: its hash is wrong.',
            got=f'SHA-256 {digest.hexdigest()[:len(expected)]}...', expected=expected + '...',
            fix='delete it and try again; if you trust it as it is, rename it and give its path')
