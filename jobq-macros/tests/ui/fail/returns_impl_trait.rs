use jobq::job;

#[job(blocking)]
fn send() -> impl Send {}

fn main() {}
