//! Run-time choice of the processor's vector instructions: one plain Rust body, compiled once for the baseline and once for AVX2
//! with FMA.
//!
//! Owns the only `unsafe` of castgate's own code: entering a function that was compiled for features which were just found present.
//! Must not know what a kernel computes.

/// How products are summed on the target's baseline: every AArch64 has the fused instruction, SSE2 has not.
#[cfg(target_arch = "aarch64")]
pub(super) type Baseline = super::float::Fused;
/// How products are summed on the target's baseline: every AArch64 has the fused instruction, SSE2 has not.
#[cfg(not(target_arch = "aarch64"))]
pub(super) type Baseline = super::float::Separate;

/// Defines a public kernel that runs `$body` (an `#[inline(always)]` function generic over [`Float`](super::Float) and
/// [`Arithmetic`](super::float::Arithmetic)) with the best instructions that this processor has.
macro_rules! kernel {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:ident) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, reason = "some kernels need many slices and sizes")]
        pub fn $name<F: $crate::kernels::Float>($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn wide<F: $crate::kernels::Float>($($arg: $type),*) {
                    $body::<F, $crate::kernels::float::Fused>($($arg),*);
                }
                if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                    // SAFETY: `wide` needs AVX2 and FMA, which this processor was just found to have; its body is safe code.
                    #[expect(unsafe_code, reason = "the compiler cannot see that the features were tested")]
                    unsafe {
                        wide($($arg),*);
                    }
                    return;
                }
            }
            $body::<F, $crate::kernels::dispatch::Baseline>($($arg),*);
        }
    };
}

pub(super) use kernel;
