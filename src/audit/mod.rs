//! Looking for faults in a labelled collection: copies of one photograph, wrong labels, and what else tells the classes apart.
//!
//! A copy is a picture that a flip, a turn, a shift, a zoom or a slight distortion makes another one. Copies are found in two
//! steps: rings around the part, compared at every turn and mirrored, give each picture a short list of others
//! ([`shortlist`]); then each pair is laid one upon the other as exactly as it goes and correlated ([`compare`]).
//!
//! Pure: pictures come in as grey pixels of one size. Must not know files.

pub mod affine;
pub mod compare;
pub mod groups;
pub mod listing;
pub mod measures;
pub mod picture;
pub mod register;
pub mod report;
pub mod rings;
pub mod shortlist;
