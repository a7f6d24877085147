"""The layers of pep101: services and steps, ports, model; an import only goes down."""
