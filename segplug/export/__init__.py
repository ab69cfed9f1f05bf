"""A trained model as one file that runs without segplug.

`settings` says what was asked for, `graph` is the module that goes into the file, `onnx_file` and
`torch_files` write it and run it again, `sizes` finds what holds for one size only, `check`
compares the file with the model, `metadata` says in the file what it takes and gives.
"""
