"""Where conversations come in and go out: one channel a module, all rendering the same `Reply`."""
