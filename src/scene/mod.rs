//! The simulated line: a belt with drawn or real parts, what a camera above it sees, and what gate and sensors do.
