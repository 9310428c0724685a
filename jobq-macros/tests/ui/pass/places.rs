//! Where a job may stand, and what may stand on it.
#![deny(
    missing_docs,
    warnings,
    unreachable_pub,
    missing_debug_implementations,
    unused_qualifications
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(
    clippy::double_must_use,
    clippy::drop_non_drop,
    clippy::non_minimal_cfg,
    clippy::redundant_pub_crate,
    reason = "about the samples themselves; what is made of them has to pass all of clippy"
)]
#![forbid(unsafe_code)]

use jobq::job;

/// Jobs of a module, seen as far as each says.
pub mod nested {
    use jobq::job;

    /// Seen by all.
    #[job]
    pub async fn everywhere(id: u64) {
        let _ = id;
    }

    #[job]
    pub(crate) async fn in_the_crate(id: u64) {
        let _ = id;
    }

    pub(crate) mod deeper {
        use jobq::job;

        #[job]
        pub(super) async fn in_the_parent(id: u64) {
            let _ = id;
        }

        #[job]
        pub(in crate::nested) async fn in_a_path(id: u64) {
            let _ = id;
        }
    }

    /// Calls what it sees.
    pub fn calls() {
        drop(deeper::in_the_parent::new(7));
        let _ = deeper::in_a_path { id: 7 }.id;
    }
}

mod private {
    use jobq::private::serde;

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(crate = "jobq::private::serde")]
    pub(super) struct Hidden;
}

#[job]
async fn hidden(argument: private::Hidden) {
    drop(argument);
}

#[job]
#[cfg(any())]
async fn absent(argument: Missing) {}

#[cfg(any())]
#[job]
async fn absent_too(argument: Missing) {}

#[job]
#[cfg(all())]
#[inline]
#[deprecated = "use `hidden`"]
async fn present() {}

#[job]
#[must_use]
async fn with_a_result() -> Result<u8, std::fmt::Error> {
    Ok(7)
}

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[job]
async fn with_an_alias() -> Outcome<()> {
    Err("no".into())
}

macro_rules! jobs {
    ($($name:ident $argument:ident $ty:ty => $wire:literal),*) => {
        $(
            #[job(name = $wire)]
            async fn $name($argument: $ty, text: String) {
                drop(($argument, text));
            }
        )*
    };
}

jobs!(first id u64 => "made.first", second label String => "made.second");

fn main() {
    #[job]
    async fn inside(id: u64) {
        let _ = id;
    }

    drop(inside::new(7));
    drop(first::new(7, "a"));
    drop(second::new("a", "b"));
    drop(hidden::new(private::Hidden));
    drop(nested::in_the_crate::new(7));
    nested::calls();
    let names: Vec<_> = jobq::runtime::registrations().map(|job| job.name).collect();
    for name in [
        "inside",
        "everywhere",
        "in_the_parent",
        "in_a_path",
        "made.first",
        "present",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}
