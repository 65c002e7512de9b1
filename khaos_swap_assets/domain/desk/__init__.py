"""Rules of the desk: who may do what on its pages."""
