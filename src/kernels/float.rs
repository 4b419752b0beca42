//! The numbers kernels work on: `f32` in use, `f64` to check gradients against finite differences.
//!
//! Owns the few operations that kernels need of a number. Must not know any kernel.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// A floating-point number.
pub trait Float:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + Sum
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// `self * a + b`, rounded once. Slow where the processor has no such instruction: see [`Arithmetic`].
    fn fused_mul_add(self, a: Self, b: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// e to the power of this.
    fn exp(self) -> Self;
    /// Natural logarithm of 1 + this.
    fn ln_1p(self) -> Self;
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// As `f64`.
    fn to_f64(self) -> f64;
}

macro_rules! float {
    ($type:ty) => {
        impl Float for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline(always)]
            fn fused_mul_add(self, a: Self, b: Self) -> Self {
                self.mul_add(a, b)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn exp(self) -> Self {
                self.exp()
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                self.ln_1p()
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    };
}

float!(f32);
float!(f64);

/// How products are summed: in one instruction where the processor has it, else in two.
pub trait Arithmetic {
    /// `a * b + c`.
    fn mul_add<F: Float>(a: F, b: F, c: F) -> F;
}

/// One instruction, rounded once.
pub enum Fused {}

/// Two instructions, rounded twice.
pub enum Separate {}

impl Arithmetic for Fused {
    #[inline(always)]
    fn mul_add<F: Float>(a: F, b: F, c: F) -> F {
        a.fused_mul_add(b, c)
    }
}

impl Arithmetic for Separate {
    #[inline(always)]
    fn mul_add<F: Float>(a: F, b: F, c: F) -> F {
        a * b + c
    }
}
