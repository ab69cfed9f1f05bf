"""What a run of Weights & Biases left in its offline file: records in blocks of 32 KiB, each with
checksum, length and whether it is whole (as LevelDB's log has them)."""

import json
import struct
import time

_BLOCK, _HEAD = 32768, 7


def records(path):
    """Each protobuf record; another process writes them, and the last says that the run ended."""
    for _ in range(100):
        found = list(_records(path))
        if any(record.WhichOneof('record_type') == 'exit' for record in found):
            break
        time.sleep(0.1)
    return found


def _records(path):
    from wandb.proto.wandb_internal_pb2 import Record
    data, place, whole = path.read_bytes(), _HEAD, b''
    while place + _HEAD <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEAD:
            place += left
            continue
        _, length, kind = struct.unpack('<IHB', data[place:place + _HEAD])
        whole += data[place + _HEAD:place + _HEAD + length]
        place += _HEAD + length
        if kind in (1, 4):  # whole, or the last of several
            record = Record()
            record.ParseFromString(whole)
            yield record
            whole = b''


def history(path):
    """Each logged dict; a picture as {'_type': ...}."""
    found = []
    for record in records(path):
        if record.WhichOneof('record_type') != 'history':
            continue
        row = {}
        for item in record.history.item:
            keys = list(item.nested_key) or [item.key]
            place = row
            for key in keys[:-1]:
                place = place.setdefault(key, {})
            place[keys[-1]] = json.loads(item.value_json)
        found.append(row)
    return found


def config(path):
    """The recorded config."""
    return {update.key or update.nested_key[0]: json.loads(update.value_json)
            for record in records(path) if record.WhichOneof('record_type') == 'config'
            for update in record.config.update}
