use jobq::job;

#[job(blocking)]
extern "C" fn send() {}

fn main() {}
