# The label table of Cityscapes as far as a street scene here needs it: ids, training ids, colours,
# and which classes have instances. Source: the published label definitions of the data set; a test
# compares it with cityscapesscripts.

import numpy as np

IGNORED = 255

# name: (label id, training id, has instances, RGB colour)
LABELS = {
    'unlabeled': (0, IGNORED, False, (0, 0, 0)),
    'ego vehicle': (1, IGNORED, False, (0, 0, 0)),
    'out of roi': (3, IGNORED, False, (0, 0, 0)),
    'static': (4, IGNORED, False, (0, 0, 0)),
    'dynamic': (5, IGNORED, False, (111, 74, 0)),
    'ground': (6, IGNORED, False, (81, 0, 81)),
    'road': (7, 0, False, (128, 64, 128)),
    'sidewalk': (8, 1, False, (244, 35, 232)),
    'parking': (9, IGNORED, False, (250, 170, 160)),
    'rail track': (10, IGNORED, False, (230, 150, 140)),
    'building': (11, 2, False, (70, 70, 70)),
    'wall': (12, 3, False, (102, 102, 156)),
    'fence': (13, 4, False, (190, 153, 153)),
    'pole': (17, 5, False, (153, 153, 153)),
    'traffic light': (19, 6, False, (250, 170, 30)),
    'traffic sign': (20, 7, False, (220, 220, 0)),
    'vegetation': (21, 8, False, (107, 142, 35)),
    'terrain': (22, 9, False, (152, 251, 152)),
    'sky': (23, 10, False, (70, 130, 180)),
    'person': (24, 11, True, (220, 20, 60)),
    'rider': (25, 12, True, (255, 0, 0)),
    'car': (26, 13, True, (0, 0, 142)),
    'truck': (27, 14, True, (0, 0, 70)),
    'bus': (28, 15, True, (0, 60, 100)),
    'train': (31, 16, True, (0, 80, 100)),
    'motorcycle': (32, 17, True, (0, 0, 230)),
    'bicycle': (33, 18, True, (119, 11, 32)),
}


def train_id_table():
    """(256,) uint8: label id -> training id."""
    table = np.full(256, IGNORED, np.uint8)
    for label_id, train_id, _, _ in LABELS.values():
        table[label_id] = train_id
    return table


def colour_table():
    """(256, 4) uint8: label id -> red, green, blue, alpha (the official colour files have an alpha
    channel)."""
    table = np.zeros((256, 4), np.uint8)
    table[:, 3] = 255
    for label_id, _, _, colour in LABELS.values():
        table[label_id, :3] = colour
    return table
