"""Which form a packed data set should have: plain memory maps or a library's chunks.

Reading a crop of a stored frame, and what a frame takes on disk. The libraries are optional; what
is not installed is left out.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from common import figure, measure

CHUNK = 256  # pixels; smaller chunks fit a crop better and compress less


def rows(frames: list[np.ndarray], folder: Path, crop, repeats: int) -> list[dict]:
    """ms of a random crop and MB of a frame, for each format."""
    makers = {'memory map': _memory_map, 'blosc2, lz4': _blosc2('LZ4'),
              'blosc2, zstd': _blosc2('ZSTD'), 'zarr, zstd': _zarr}
    readers, sizes = {}, {}
    for name, make in makers.items():
        if name.split(',')[0] != 'memory map' and find_spec(name.split(',')[0]) is None:
            continue
        path = folder / name.replace(', ', '-').replace(' ', '-')
        path.mkdir()
        readers[name] = _crops(make(frames, path), frames[0].shape, crop)
        sizes[name] = sum(f.stat().st_size for f in path.rglob('*') if f.is_file()) / len(frames)
    times = measure(readers, 'cpu', repeats=repeats, warmup=3)
    return [line for name in readers for line in (
        figure(f'format {name}: a {crop[1]}x{crop[0]} crop', times[name], 'ms', stage='format'),
        figure(f'format {name}: a frame', sizes[name] / 1e6, 'MB', stage='format'))]


def _crops(arrays, shape, crop):
    rng = np.random.default_rng(0)

    def read() -> np.ndarray:
        y, x = (int(rng.integers(0, have - want + 1))
                for have, want in zip(shape, crop, strict=False))
        chosen = arrays[int(rng.integers(len(arrays)))]
        return np.array(chosen[y:y + crop[0], x:x + crop[1]])
    return read


def _memory_map(frames, path):
    for i, frame in enumerate(frames):
        (path / f'{i}.bin').write_bytes(frame.tobytes())
    return [np.memmap(path / f'{i}.bin', np.uint8, 'r', shape=frame.shape)
            for i, frame in enumerate(frames)]


def _blosc2(codec: str):
    def make(frames, path):
        import blosc2
        blosc2.set_nthreads(1)
        settings = dict(codec=blosc2.Codec[codec], clevel=5, nthreads=1)
        return [blosc2.asarray(np.ascontiguousarray(frame), urlpath=str(path / f'{i}.b2nd'),
                               mode='w', chunks=(CHUNK, CHUNK, 3), cparams=settings,
                               dparams=dict(nthreads=1))
                for i, frame in enumerate(frames)]
    return make


def _zarr(frames, path):
    import zarr
    stored = []
    for i, frame in enumerate(frames):
        array = zarr.create_array(str(path / f'{i}.zarr'), shape=frame.shape, dtype='u1',
                                  chunks=(CHUNK, CHUNK, 3))
        array[:] = frame
        stored.append(array)
    return stored
