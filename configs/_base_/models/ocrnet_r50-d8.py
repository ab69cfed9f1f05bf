"""OCRNet over a ResNet-50 of output stride 8, as mmsegmentation publishes it."""
_base_ = './resnet50-d8.py'

# What trains beside other heads is the first stage here.
model = dict(
    type='CascadeEncoderDecoder',
    num_stages=2,
    decode_head=[
        _base_.model.auxiliary_head,
        dict(_base_.model.decode_head, type='OCRHead', ocr_channels=256)],
    auxiliary_head=None)
