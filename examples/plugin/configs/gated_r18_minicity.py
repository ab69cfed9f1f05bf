# Mini Cityscapes with the plugin's head in place of the UNet decoder.
_base_ = ['segplug::unet/unet_r18_minicity.py']

model = dict(
    decode_head=dict(
        _delete_=True, type='GatedHead', in_channels=512, channels=64, in_index=-1,
        num_classes=19, norm_cfg=dict(type='SyncBN', requires_grad=True)))
