"""What can become of a file: bytes lost, doubled or changed, and plain data of another shape.

Each damage takes a generator and is the same for the same seed.
"""

import copy
import random

import torch

NUMBERS = ('', '-1', '0', 'nan', 'inf', '1e9', '99999', '0.5', '٣', 'true', '"', '[', '-0')
SIGNS = ('\x00', '\ufeff', 'é', '\n', ',', '"', "'", '(', ']', ':', '\\', '\t', '🙂', '\ud7ff')


def strange(draw: random.Random):
    """A value that nobody expects."""
    return copy.copy(draw.choice((
        None, '', 'x', 'résumé', -1, 0, 1.5, float('nan'), float('inf'), True, [], {}, [None],
        ['a', 3], dict(type='x'), dict(a=dict(b=1)), (1, 2, 3), '0', [[]], dict(type=None))))


def strange_weight(draw: random.Random):
    """A value or a tensor that nobody expects in a checkpoint."""
    return draw.choice((
        strange(draw), torch.zeros(0), torch.zeros(3, 3), torch.full((2,), float('nan')),
        torch.zeros((), dtype=torch.int64), torch.zeros(2, dtype=torch.complex64),
        torch.ones(1, dtype=torch.bool), torch.zeros(1).to_sparse()))


def damaged(data: bytes, draw: random.Random) -> bytes:
    """``data`` with one to three damages."""
    for _ in range(draw.randint(1, 3)):
        data = draw.choice(DAMAGES)(data, draw)
    return data


def damaged_text(data: bytes, draw: random.Random) -> bytes:
    """A text with one or two damages, which are those of texts in three cases of four."""
    for _ in range(draw.randint(1, 2)):
        kinds = TEXT_DAMAGES if draw.random() < 0.75 else DAMAGES
        data = draw.choice(kinds)(data, draw)
    return data


def _span(data: bytes, draw: random.Random) -> tuple[int, int]:
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + draw.choice((1, 2, 8, 64, 1024)))


def _cut(data, draw):
    return data[:draw.randrange(len(data) + 1)]


def _empty(data, draw):
    return b''


def _flip(data, draw):
    changed = bytearray(data)
    for _ in range(draw.randint(1, 20) if data else 0):
        # Headers decide most, so half of the changes are there.
        end = len(data) if draw.random() < 0.5 else min(64, len(data))
        changed[draw.randrange(end)] = draw.randrange(256)
    return bytes(changed)


def _blank(data, draw):
    start, end = _span(data, draw)
    return data[:start] + bytes(end - start) + data[end:]


def _insert(data, draw):
    start, _ = _span(data, draw)
    return data[:start] + draw.randbytes(draw.choice((1, 4, 100))) + data[start:]


def _lose(data, draw):
    start, end = _span(data, draw)
    return data[:start] + data[end:]


def _double(data, draw):
    start, end = _span(data, draw)
    return data[:end] + data[start:]


def _replace(data, draw):
    return draw.randbytes(draw.choice((1, 10, 1000)))


DAMAGES = (_cut, _empty, _flip, _flip, _flip, _blank, _insert, _lose, _double, _replace)


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True) or [b'']


def _drop_line(data, draw):
    lines = _lines(data)
    del lines[draw.randrange(len(lines))]
    return b''.join(lines)


def _double_line(data, draw):
    lines = _lines(data)
    lines.insert(0, draw.choice(lines))
    return b''.join(lines)


def _swap_lines(data, draw):
    lines = _lines(data)
    i, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b''.join(lines)


def _sign(data, draw):
    start, _ = _span(data, draw)
    return data[:start] + draw.choice(SIGNS).encode('utf-8', 'surrogatepass') + data[start:]


def _number(data, draw):
    digits = [i for i, byte in enumerate(data) if chr(byte).isdigit()]
    if not digits:
        return data
    i = draw.choice(digits)
    return data[:i] + draw.choice(NUMBERS).encode() + data[i + 1:]


def _other_code(data, draw):
    return data.decode('utf-8', 'replace').encode(draw.choice(('utf-16', 'latin-1', 'utf-8-sig')),
                                                  'replace')


def _other_ends(data, draw):
    return data.replace(b'\n', draw.choice((b'\r\n', b'\r', b'\n\n', b'')))


TEXT_DAMAGES = (_drop_line, _double_line, _swap_lines, _sign, _sign, _number, _number, _other_code,
                _other_ends, _cut)


def changed_tree(tree, draw: random.Random, new=strange):
    """A copy of nested dicts and lists of which one value is lost, renamed or another one."""
    tree = copy.deepcopy(tree)
    places = list(_places(tree))
    holder, key = draw.choice(places)
    what = draw.random()
    if what < 0.2:
        del holder[key]
    elif what < 0.3 and isinstance(holder, dict):
        holder[f'{key}x'] = holder.pop(key)
    else:
        holder[key] = new(draw)
    return tree


def _places(node):
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(items):
        yield node, key
        if isinstance(value, (dict, list)):
            yield from _places(value)
