//! From a frame to the model's input: find the part, crop, resize, grey, normalise. Pure.
