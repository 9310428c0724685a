use jobq::job;

#[job(blocking = true)]
fn send() {}

fn main() {}
