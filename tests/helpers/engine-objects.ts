import Docker from 'dockerode';

/** Names of every container and volume labelled with this run, running or not. */
export async function listOfRun(run: string): Promise<string[]> {
  return await listLabelled(`assay.run=${run}`);
}

/** Names of every container and volume with this label. */
export async function listLabelled(label: string): Promise<string[]> {
  const docker = new Docker();
  const filters = JSON.stringify({ label: [label] });
  const containers = await docker.listContainers({ all: true, filters });
  const { Volumes: volumes } = await docker.listVolumes({ filters });
  return [
    ...containers.map((container) => `container ${container.Names.join(',')} ${container.State}`),
    ...volumes.map((volume) => `volume ${volume.Name}`),
  ];
}

/** Names of every network with this label. */
export async function listNetworks(label: string): Promise<string[]> {
  const filters = JSON.stringify({ label: [label] });
  return (await new Docker().listNetworks({ filters })).map(({ Name: name }) => name);
}
