"""What those who answer for a source do: draft and prove its contract, see its faults, mend its rows, end retention."""
