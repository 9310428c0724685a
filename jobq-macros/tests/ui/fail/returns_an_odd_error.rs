use jobq::job;

struct Odd;

#[job]
async fn send() -> Result<(), Odd> {
    Err(Odd)
}

fn main() {}
