"""What `run`, `demo` and `synth` do: the job and its report, a preview, a past day, an invented borough."""
