"""One changed byte anywhere in a checkpoint's file is seen."""

import random
import struct
import zipfile

import pytest
import torch

from segplug.engine.archive import DamagedFile, check
from segplug.engine.checkpoint import save_checkpoint


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / 'a.pth'
    save_checkpoint(dict(state_dict=dict(a=torch.arange(6.), b=torch.ones(3, 5)), meta={}), path)
    return path


def test_a_sealed_file_is_still_torchs(sealed):
    assert check(sealed)
    for mmap in (False, True):
        loaded = torch.load(sealed, weights_only=True, mmap=mmap)
        assert loaded['state_dict']['a'].tolist() == [0, 1, 2, 3, 4, 5]
    with zipfile.ZipFile(sealed) as archive:
        assert archive.comment.startswith(b'segplug sha256 ')


def test_the_same_checkpoint_is_the_same_bytes(sealed, tmp_path):
    loaded = torch.load(sealed, weights_only=True)
    save_checkpoint(loaded, tmp_path / 'b.pth')
    assert (tmp_path / 'b.pth').read_bytes() == sealed.read_bytes()


def test_every_byte_counts(sealed):
    """The first and last 300, and a fifth of the others: about 1,000."""
    data = sealed.read_bytes()
    draw = random.Random(0)
    unseen = []
    ends = {*range(300), *range(len(data) - 300, len(data))}
    for position in sorted(ends | set(range(300, len(data), 5))):
        damaged = bytearray(data)
        damaged[position] ^= draw.randrange(1, 256)
        sealed.write_bytes(damaged)
        try:
            if check(sealed):
                unseen.append(position)
        except DamagedFile:
            continue
        # Neither sealed nor an archive: it would be read as torch's old format.
        assert not zipfile.is_zipfile(sealed)
    assert unseen == []


def test_every_length_counts(sealed):
    data = sealed.read_bytes()
    for length in [*range(0, len(data) - 200, 97), *range(len(data) - 200, len(data))]:
        sealed.write_bytes(data[:length])
        with pytest.raises(DamagedFile):
            check(sealed)
    sealed.write_bytes(data + b'\0')
    with pytest.raises(DamagedFile):
        check(sealed)


def test_files_of_torch_have_no_seal_and_pass(tmp_path):
    torch.save(dict(a=torch.ones(2)), tmp_path / 'new.pth')
    assert check(tmp_path / 'new.pth') is False
    torch.save(dict(a=1), tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    assert check(tmp_path / 'old.pth') is False
    (tmp_path / 'new.pth').write_bytes((tmp_path / 'new.pth').read_bytes() + b'more')
    with pytest.raises(DamagedFile, match='last bytes'):
        check(tmp_path / 'new.pth')


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / 'bomb.pth', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('archive/data.pkl', b'\0' * (1 << 20))
    with pytest.raises(DamagedFile, match='is compressed'):
        check(tmp_path / 'bomb.pth')


def test_records_that_share_bytes_are_refused(tmp_path):
    """A table of contents that names one record twice: its size on the disk says nothing."""
    path = tmp_path / 'a.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('a', b'x' * 50)
        archive.writestr('b', b'y' * 50)
    data = bytearray(path.read_bytes())
    second = data.rindex(b'PK\1\2')
    data[second + 42:second + 46] = struct.pack('<L', 0)  # where b begins: where a does
    path.write_bytes(data)
    with pytest.raises(DamagedFile, match='neighbours'):
        check(path)
