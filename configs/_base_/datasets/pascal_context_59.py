# PASCAL Context as pascal_context.py has it, without the background: label 0 is no class.
_base_ = './pascal_context.py'

dataset_type = 'PascalContextDataset59'
train_dataloader = dict(dataset=dict(type=dataset_type))
val_dataloader = dict(dataset=dict(type=dataset_type))
test_dataloader = val_dataloader
