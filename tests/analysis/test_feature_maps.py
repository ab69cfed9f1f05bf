"""Feature maps to pictures: by hand, and the principal components against their definition."""

import numpy as np

from segplug.analysis.feature_maps import as_colours, max_map, mean_map, principal, strongest


def test_mean_max_and_strongest_by_hand():
    features = np.array([[[1.0, 1.0]], [[0.0, 4.0]], [[2.0, 3.0]]])
    assert mean_map(features).tolist() == [[1.0, 8 / 3]]
    assert max_map(features).tolist() == [[2.0, 4.0]]
    # Deviations 0, 2 and 1/2.
    assert strongest(features, 2) == [1, 2]
    assert strongest(features, 9) == [1, 2, 0]


def test_components_by_hand():
    """Two channels, 3 t and -4 t over t = -1, 0, 1: one direction, (3, -4) / 5 up to the sign; the
    largest coefficient is made positive, so it is (-3, 4) / 5 and the component is -5 t."""
    t = np.array([[-1.0, 0.0, 1.0]])
    features = np.stack([3 * t + 7, -4 * t])
    np.testing.assert_allclose(principal(features), [[[5, 0, -5]], np.zeros((1, 3)),
                                                     np.zeros((1, 3))], atol=1e-9)


def test_both_ways_to_the_components_agree():
    """More channels than cells, or fewer; the variances are the eigenvalues of the covariance."""
    rng = np.random.default_rng(0)
    for shape in ((30, 3, 4), (5, 3, 4)):
        features = rng.normal(size=shape)
        flat = features.reshape(shape[0], -1)
        flat = flat - flat.mean(1, keepdims=True)
        expected = np.linalg.svd(flat, compute_uv=False)[:3] ** 2
        found = principal(features).reshape(3, -1)
        np.testing.assert_allclose(found @ found.T, np.diag(expected), atol=1e-8)
    doubled = np.concatenate([features, np.zeros((40, 3, 4))])  # the other way, the same cells
    np.testing.assert_allclose(principal(doubled), principal(features), atol=1e-8)


def test_what_does_not_vary_is_gray():
    assert as_colours(principal(np.ones((4, 2, 2)))).tolist() == [[[128] * 3] * 2] * 2
    parts = np.stack([np.array([[0.0, 1.0]]), np.array([[5.0, 5.0]]), np.array([[2.0, 1.0]])])
    assert as_colours(parts).tolist() == [[[0, 128, 255], [255, 128, 0]]]
