import pytest

from segplug.apis.migration.literals import dicts
from segplug.apis.migration.old_transforms import rewrite_transform


@pytest.mark.parametrize(('old', 'new'), [
    ("dict(type='Resize', img_scale=(8, 4), ratio_range=(0.5, 2.0))",
     "dict(type='RandomResize', scale=(8, 4), ratio_range=(0.5, 2.0), keep_ratio=True)"),
    ("dict(type='Resize', img_scale=(8, 4), keep_ratio=False)",
     "dict(type='Resize', scale=(8, 4), keep_ratio=False)"),
    ("{'type': 'Resize', 'img_scale': (8, 4), 'ratio_range': None}",
     "{'type': 'Resize', 'scale': (8, 4), 'keep_ratio': True}"),
    ("dict(type='Resize', img_scale=[(8, 4), (4, 2)], multiscale_mode='value')",
     "dict(type='RandomChoiceResize', scales=[(8, 4), (4, 2)], keep_ratio=True)"),
    ("dict(type='Resize', img_scale=[(8, 4), (4, 2)], multiscale_mode='range', keep_ratio=True)",
     "dict(type='RandomResize', scale=[(8, 4), (4, 2)], keep_ratio=True)"),
    ("dict(type='RandomFlip', flip_ratio=0.5)", "dict(type='RandomFlip', prob=0.5)"),
    # Sizes were (H, W), and are (W, H).
    ("dict(type='Pad', size=(4, 8), pad_val=0, seg_pad_val=255)",
     "dict(type='Pad', size=(8, 4), pad_val=dict(img=0, seg=255))"),
    ("dict(type='Pad', size=crop, seg_pad_val=255)",
     "dict(type='Pad', size=crop[::-1], pad_val=dict(seg=255))"),
    ("dict(type='LoadImageFromFile', file_client_args=dict(backend='disk'))",
     "dict(type='LoadImageFromFile')"),
    ("dict(type='LoadImageFromFile', file_client_args=args)",
     "dict(type='LoadImageFromFile', backend_args=args)"),
    ("dict(type='Resize', scale=(8, 4), keep_ratio=True)",
     "dict(type='Resize', scale=(8, 4), keep_ratio=True)"),
    ("dict(type='RandomCrop', crop_size=(4, 8))", "dict(type='RandomCrop', crop_size=(4, 8))")])
def test_arguments_get_the_names_that_they_have_now(source, old, new):
    found = source(f'x = {old}\n')
    for node in [*dicts(found)][:1]:
        rewrite_transform(found, node)
    assert ' '.join(found.new_text.split()) == f'x = {new}'  # long ones take two lines
