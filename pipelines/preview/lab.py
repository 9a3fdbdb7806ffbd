"""CIE Lab, in which distances are what an eye sees."""

import cv2
import numpy as np
import numpy.typing as npt


def to_lab(colours: npt.NDArray[np.uint8] | npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """From sRGB of 0 to 255, (rows, columns, 3), to L of 0 to 100, a and b."""
    unit = np.ascontiguousarray(colours, np.float32) / np.float32(255)
    return np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2Lab), np.float32)
