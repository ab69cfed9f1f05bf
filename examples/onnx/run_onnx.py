"""Label an image with a file of `segplug export`; needs onnxruntime, numpy and Pillow.

    python run_onnx.py model.onnx street.png labels.png

What the file takes and gives stands in its metadata. An image of another size than a file takes is
resized to it, and the labels back.
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image


def pixels_for(meta: dict, image: Image.Image) -> np.ndarray:
    """What the file takes for an RGB image."""
    takes, prepare = meta['input'], meta['preprocess']
    step = takes['multiple_of']
    size = (takes['width'] or -(-image.width // step) * step,
            takes['height'] or -(-image.height // step) * step)
    pixels = np.asarray(image.resize(size, Image.Resampling.BILINEAR))[None]
    if takes['channel_order'] == 'bgr':
        pixels = pixels[..., ::-1]
    if not prepare['inside'] and prepare['mean'] is not None:
        pixels = (pixels - np.float32(prepare['mean'])) / np.float32(prepare['std'])
    if takes['layout'] == 'NCHW':
        pixels = pixels.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(pixels, takes['dtype'])


def labels_of(meta: dict, found: np.ndarray) -> np.ndarray:
    """(H, W) class ids of what the file gives."""
    if meta['output']['name'] == 'labels':
        return found[0]
    if meta['labels']['one_logit']:
        return (found[0, 0] > meta['labels']['threshold']).astype(np.uint8)
    return found[0].argmax(0)


def main(file: str, source: str, target: str) -> None:
    session = onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])
    meta = json.loads(session.get_modelmeta().custom_metadata_map['segplug'])
    image = Image.open(source).convert('RGB')
    found, = session.run(None, {meta['input']['name']: pixels_for(meta, image)})
    colours = np.uint8(meta['palette'])[labels_of(meta, found)]
    Image.fromarray(colours).resize(image.size, Image.Resampling.NEAREST).save(target)


if __name__ == '__main__':
    main(*sys.argv[1:])
