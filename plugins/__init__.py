"""The floors of pep101: flow, services and steps, ports, model; an import only goes down."""
