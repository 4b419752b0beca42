//! Stages, queues and supervisor, and the two drivers that run the stages: threads and lockstep.
