//! A worker process as users write one. Started by a test it ends with it, however that ends.

use std::io::Read as _;
use std::process::ExitCode;

use support as _;

fn main() -> ExitCode {
    if std::env::var_os("TEST_ENDS_WITH_STDIN").is_some() {
        std::thread::spawn(|| {
            // The test holds the other end and writes nothing.
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(1);
        });
    }
    jobq_worker::main()
}
