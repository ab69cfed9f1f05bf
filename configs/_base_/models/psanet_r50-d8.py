"""PSANet with a ResNet-50 of output stride 8, as mmsegmentation publishes it."""
_base_ = './resnet50-d8.py'

model = dict(decode_head=dict(
    type='PSAHead', mask_size=(97, 97), psa_type='bi-direction', compact=False, shrink_factor=2,
    normalization_factor=1.0, psa_softmax=True))
