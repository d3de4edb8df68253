"""How alike two pictures look: SSIM after Wang, Bovik, Sheikh and Simoncelli (2004), with libvips alone."""

from math import exp
from typing import Any, Final

import pyvips

# Section III C and the experiments of the paper: an 11 by 11 Gaussian of 1.5, K1 and K2, 8-bit luminance.
WINDOW: Final = 11
SIGMA: Final = 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
# The luminance of Rec. 601, as in the authors' own program.
LUMINANCE: Final = [[0.299, 0.587, 0.114]]


class Original:
    """A picture that others are compared with; what they all need of it is computed once."""

    def __init__(self, image: Any) -> None:  # noqa: ANN401 - pyvips has no types
        self._luminance = _luminance(image)
        self._mean = _blurred(self._luminance).copy_memory()
        self._squares = _blurred(self._luminance * self._luminance).copy_memory()

    def ssim(self, image: Any) -> float:  # noqa: ANN401 - pyvips has no types
        """Return the mean SSIM of a picture of the same size; 1 is the same picture."""
        luminance = _luminance(image)
        mean = _blurred(luminance)
        squares = _blurred(luminance * luminance)
        products = _blurred(luminance * self._luminance)
        both = self._mean * mean
        own, other = self._mean * self._mean, mean * mean
        likeness = ((both * 2 + C1) * ((products - both) * 2 + C2)) / (
            (own + other + C1) * ((self._squares - own) + (squares - other) + C2)
        )
        average: float = _whole_windows(likeness).avg()
        return average


def ssim(original: Any, image: Any) -> float:  # noqa: ANN401 - pyvips has no types
    """Return the mean SSIM of two pictures of the same size."""
    return Original(original).ssim(image)


def dssim(likeness: float) -> float:
    """Return the dissimilarity that belongs to an SSIM: 0 is the same picture."""
    return (1 - likeness) / 2


def weights() -> list[float]:
    """Return one side of the window; it is separable, and its sum is 1."""
    middle = WINDOW // 2
    bell = [exp(-((place - middle) ** 2) / (2 * SIGMA**2)) for place in range(WINDOW)]
    return [weight / sum(bell) for weight in bell]


def _luminance(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    if image.hasalpha():
        image = image.flatten(background=255)
    grey = image.recomb(pyvips.Image.new_from_array(LUMINANCE)) if image.bands > 1 else image
    return grey.cast("float").copy_memory()


def _blurred(image: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    return image.convsep(pyvips.Image.new_from_array([weights()]), precision="float")


def _whole_windows(likeness: Any) -> Any:  # noqa: ANN401 - pyvips has no types
    """Leave out the rim, where the window would reach over the edge of the picture."""
    rim = WINDOW // 2
    return likeness.crop(rim, rim, likeness.width - 2 * rim, likeness.height - 2 * rim)
