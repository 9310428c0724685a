use hello as _; // the crate with the jobs: one that nobody names is not linked in

fn main() -> std::process::ExitCode {
    jobq_worker::main()
}
