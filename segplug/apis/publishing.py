"""Weights alone, in a file that cannot hold code and whose name says which bytes they are."""

import hashlib
from pathlib import Path


def publish(checkpoint: str, out: str | None = None, *, ema: bool | None = None,
            key: str | None = None) -> Path:
    """Write the weights of a checkpoint as ``NAME-<first 8 digits of the SHA-256>.safetensors``.

    Classes, palette, versions and the config's text go with them, as metadata. `segplug test`,
    `segplug predict`, ``load_from`` and ``init_cfg`` load it as they load a checkpoint.

    Args:
        checkpoint: File, URL or known name.
        out: Folder, or a file name ending in .safetensors, to which the digits are added; beside
            the checkpoint by default.
        ema: True asks for the averages of EMAHook, False for the weights they are averages of;
            None takes what a test scores, which are the averages where there are some.
        key: Which of several networks in the file: 'teacher'.

    Returns:
        The file.

    Raises:
        CheckpointError: It cannot be read, holds no weights or, with ``ema``, no averages.
    """
    from ..engine import safe_tensors
    from ..engine.checkpoint import load_checkpoint
    from ..engine.containers import choose_weights
    from ..engine.pretrained import resolve_source
    from ..engine.whole_file import whole_file
    path = resolve_source(checkpoint)
    saved = load_checkpoint(str(path))
    weights, _ = choose_weights(saved, checkpoint, ema=ema, key=key)
    data = safe_tensors.to_bytes(weights, safe_tensors.metadata_of(saved))
    target = Path(out).expanduser() if out is not None else path.parent
    if target.suffix != safe_tensors.SUFFIX:
        target = target / f'{path.stem}{safe_tensors.SUFFIX}'
    digits = hashlib.sha256(data).hexdigest()[:8]
    target = target.with_name(f'{target.stem}-{digits}{safe_tensors.SUFFIX}')
    with whole_file(target, 'wb') as file:
        file.write(data)
    return target
