//! Kernels of small convolutional networks over slices, forward and backward: one home for training and inference. Pure.
