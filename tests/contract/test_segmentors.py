"""Every segmentor: images become losses in training, and classes at their own size in tests."""

from contracts import every, registered

from segplug.contract.segmentors import CHECKS, SegmentorCase
from segplug.contract.tiny_run import HEAD

SECOND = dict(type='OCRHead', in_channels=8, in_index=1, channels=4, ocr_channels=4,
              num_classes=3, norm_cfg=dict(type='BN'))
ROWS = {'EncoderDecoder': [dict(), dict(auxiliary_head=HEAD),
                           dict(test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(16, 16)))],
        'CascadeEncoderDecoder': [dict(num_stages=2, decode_head=[HEAD, SECOND])]}
CASES = [SegmentorCase(dict(type=name, **row)) for name, rows in ROWS.items() for row in rows]


def test_every_segmentor_has_a_row():
    assert registered('segmentors') <= set(ROWS)


@every(CASES, CHECKS)
def test_it_keeps_its_contract(case, check):
    check(case)
