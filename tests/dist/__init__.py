"""What `make dist` built, installed into fresh systems and used there. `make dist-test` runs these tests."""
