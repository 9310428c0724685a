use jobq::job;

#[job(blocking)]
async fn send() {}

fn main() {}
