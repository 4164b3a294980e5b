//! Shifts the clock of a whole process: the C library's time of day. dsr has no switch for it, and
//! its steady clock stays as it is.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::{Operator, find_program};

const SHIFTED: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    const char *shift = getenv("CLOCK_SHIFT");
    if (!failed && clock == CLOCK_REALTIME && shift) now->tv_sec += atol(shift);
    return failed;
}
"#;

/// The library that shifts the clock; `None` without a C compiler.
fn library() -> Option<&'static PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let compiler = find_program("cc")?;
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let unique = std::process::id();
        let source = folder.join(format!("clock-{unique}.c"));
        let library = folder.join(format!("clock-{unique}.so"));
        std::fs::write(&source, SHIFTED).ok()?;
        let mut build = Command::new(compiler);
        build.args(["-shared", "-fPIC", "-o"]).arg(&library);
        let built = build.arg(&source).arg("-ldl").status();
        drop(std::fs::remove_file(&source));
        built
            .is_ok_and(|status| status.success())
            .then_some(library)
    };
    BUILT.get_or_init(build).as_ref()
}

impl Operator {
    /// Shifts this operator's clock by `seconds` from now on. Returns whether that is possible.
    pub(crate) fn shift_clock(&mut self, seconds: i64) -> bool {
        let Some(library) = library() else {
            return false;
        };
        self.set("LD_PRELOAD", &library.display().to_string());
        self.set("CLOCK_SHIFT", &seconds.to_string());
        true
    }
}
